/** How a network reads the corrections that were held out. */
import { z } from 'zod';
import { classCount } from '../data/dataset.ts';
import { type Calibration, scoreOf } from './calibration.ts';
import { indexOfMaximum } from './softmax.ts';

const count = z.int().nonnegative();

export const correctionResultsSchema = z.object({
  sha256: z.string().describe('Of the frozen set'),
  trained: count.describe('Corrections that it was trained on'),
  heldOut: count.describe('Corrections that were held out, to measure with'),
  right: count.describe('Of these: the label is right, or `unknown` where it is none of the labels'),
});
export type CorrectionResults = z.output<typeof correctionResultsSchema>;

/** How many of the labels [count] (10: none of them) the logits [count × 10] get right. */
export function countRight(
  logits: Float32Array,
  labels: Uint8Array,
  calibration: Calibration | null,
): number {
  const threshold = calibration?.threshold ?? Number.NEGATIVE_INFINITY;
  return labels.reduce((right, label, i) => {
    const start = i * classCount;
    const isUnknown = scoreOf(logits, start) < threshold;
    const answer = isUnknown ? classCount : indexOfMaximum(logits, start, classCount);
    return answer === label ? right + 1 : right;
  }, 0);
}
