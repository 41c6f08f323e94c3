/** Decisions about a model, in words. */
import type { Decision } from '../../../src/client/index.ts';
import { percent } from '../ui/format.ts';
import { championAlias } from './registry.ts';

/** What was decided: "champion 1 → 2", "3 kept back: 85.36 % against 99.24 %", "traffic: champion 90 %, challenger 10 %". */
export function wordsOf({ action, alias, from, to, comparison, traffic }: Decision): string {
  if (action === 'traffic') return `traffic: ${sharesOf(traffic)}`;
  if (action === 'removed') return `${alias} removed, was ${from}`;
  if (action === 'kept') return `${to} kept back${against(comparison)}`;
  if (action === 'held') return `${to} not promoted${against(comparison)}`;
  const change = from === null ? `${alias} is ${to}` : `${alias} ${from} → ${to}`;
  return change + ({ rolledBack: ', rolled back', replaced: ', replaced' }[action as string] ?? '');
}

/** "champion 90 %, challenger 10 %" */
function sharesOf(traffic: Decision['traffic']): string {
  return Object.entries(traffic ?? { [championAlias]: 100 })
    .map(([alias, share]) => `${alias} ${percent(share / 100, 0)}`)
    .join(', ');
}

function against(comparison: Decision['comparison']): string {
  if (!comparison) return '';
  return `: ${percent(comparison.accuracy, 2)} against ${percent(comparison.accuracyAgainst, 2)}`;
}
