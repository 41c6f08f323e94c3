/** How a network reads the corrections that were held out. */
import { z } from 'zod';
import type { Split } from '../data/dataset.ts';
import { type Calibration, scoreOf } from './calibration.ts';
import { indexOfMaximum, rowOf } from './softmax.ts';

const count = z.int().nonnegative();

export const correctionResultsSchema = z.object({
  sha256: z.string().describe('Of the frozen set'),
  trained: count.describe('Corrections that it was trained on'),
  heldOut: count.describe('Corrections that were held out, to measure with'),
  right: count.describe('Of these: the label is right, or `unknown` where it is none of the labels'),
});
export type CorrectionResults = z.output<typeof correctionResultsSchema>;

/** How many of the labels [count] (C: none of them) the logits [count × C] get right. */
export function countRight(
  logits: Float32Array,
  labels: Split['labels'],
  calibration: Calibration | null,
): number {
  const threshold = calibration?.threshold ?? Number.NEGATIVE_INFINITY;
  const length = logits.length / labels.length;
  let right = 0;
  for (const [i, label] of labels.entries()) {
    const row = rowOf(logits, length, i);
    const answer = scoreOf(row) < threshold ? length : indexOfMaximum(row, 0, length);
    if (answer === label) right++;
  }
  return right;
}
