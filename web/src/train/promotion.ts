/** What was decided about a version of a job, in words. */
import type { Promotion } from '../../../src/client/index.ts';
import { percent } from '../ui/format.ts';
import { sentence } from '../ui/sentence.ts';

/** For a cell of a table: "kept back: 85.36 % against 99.24 %". */
export function decisionOf({ decision, accuracy, accuracyAgainst }: Promotion): string {
  const word = { promoted: 'promoted', kept: 'kept back', held: 'not promoted' }[decision];
  if (accuracy === null || accuracyAgainst === null) return word;
  return `${word}: ${percent(accuracy, 2)} against ${percent(accuracyAgainst, 2)}`;
}

/** "Version 3 was kept back, version 1 goes on answering: significantly worse than model 1 …" */
export function explainDecision({ decision, version, champion, reason }: Promotion): string {
  if (decision === 'promoted') return sentence(`version ${version} was promoted: ${reason}`);
  const word = decision === 'kept' ? 'kept back' : 'not promoted';
  return sentence(`version ${version} was ${word}, version ${champion} goes on answering: ${reason}`);
}
