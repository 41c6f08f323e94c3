/** Decisions about a model, in words, and the champions that follow from them. */
import type { Decision } from '../../../src/client/index.ts';
import { percent } from '../ui/format.ts';

/** What was decided: "champion 1 → 2", "3 kept back: 85.36 % against 99.24 %". */
export function wordsOf({ action, alias, from, to, comparison }: Decision): string {
  if (action === 'traffic') return 'traffic shared anew';
  if (action === 'removed') return `${alias} removed, was ${from}`;
  if (action === 'kept') return `${to} kept back${against(comparison)}`;
  if (action === 'held') return `${to} not promoted${against(comparison)}`;
  const change = from === null ? `${alias} is ${to}` : `${alias} ${from} → ${to}`;
  return change + ({ rolledBack: ', rolled back', replaced: ', replaced' }[action as string] ?? '');
}

function against(comparison: Decision['comparison']): string {
  if (!comparison) return '';
  return `: ${percent(comparison.accuracy, 2)} against ${percent(comparison.accuracyAgainst, 2)}`;
}

/**
 * The champions from the present one back, as a rollback goes: it takes the present one away.
 *
 * @param decisions newest first; where the oldest ones are missing, so are the champions before them
 */
export function championsOf(decisions: readonly Decision[]): readonly number[] {
  return decisions.toReversed().reduce<readonly number[]>((path, { action, alias, from, to }) => {
    if (alias !== 'champion' || to === null || action === 'kept' || action === 'held') return path;
    const known = path.length === 0 && from !== null ? [from] : path;
    if (action === 'rolledBack' || action === 'replaced') return goBack(known, to);
    return known[0] === to ? known : [to, ...known];
  }, []);
}

function goBack([, ...before]: readonly number[], to: number): readonly number[] {
  const index = before.indexOf(to);
  return index === -1 ? [to, ...before] : before.slice(index);
}
