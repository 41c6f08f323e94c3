/** The labels that the positions in an evaluation stand for. */
import type { Evaluation } from '../../../src/client/index.ts';
import { digitLabels } from '../ui/labels.ts';

/** Evaluations of older versions name no labels: all were of digits. */
export function labelsOf({ labels }: Pick<Evaluation, 'labels'>): readonly string[] {
  return labels ?? digitLabels;
}
