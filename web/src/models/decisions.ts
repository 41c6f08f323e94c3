/** Decisions about a model, in words, and the champions that follow from them. */
import type { Decision } from '../../../src/client/index.ts';
import { percent } from '../ui/format.ts';

/** What was decided: "champion 1 → 2", "3 kept back: 85.36 % against 99.24 %". */
export function wordsOf({ action, alias, from, to, comparison }: Decision): string {
  switch (action) {
    case 'kept':
    case 'held': {
      const { accuracy, accuracyAgainst } = comparison ?? {};
      const why =
        accuracy === undefined ? '' : `: ${percent(accuracy, 2)} against ${percent(accuracyAgainst!, 2)}`;
      return `${to} ${action === 'kept' ? 'kept back' : 'not promoted'}${why}`;
    }
    case 'traffic':
      return 'traffic shared anew';
    case 'removed':
      return `${alias} removed, was ${from}`;
    case 'rolledBack':
      return `${alias} ${from} → ${to}, rolled back`;
    case 'replaced':
      return `${alias} ${from} → ${to}, replaced`;
    case 'adopted':
    case 'promoted':
    case 'moved':
      return from === null ? `${alias} is ${to}` : `${alias} ${from} → ${to}`;
  }
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
