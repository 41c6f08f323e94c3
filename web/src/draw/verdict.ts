/** How sure an answer is, in a few words. */
import type { Prediction } from '../../../src/client/index.ts';
import { percent } from '../ui/format.ts';

/** What an answer is made of: `digit` is there where the labels are the digits. */
type Answer = Pick<Prediction, 'verdict' | 'confidence' | 'digit'>;

export function sureness({ verdict, confidence, digit }: Answer): string {
  if (verdict === 'unknown') return `probably no${digit === undefined ? 'ne of the labels' : ' digit'}`;
  return `${verdict === 'unsure' ? 'only ' : ''}${percent(confidence)} sure`;
}
