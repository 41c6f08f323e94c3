/** The labels that the positions in an evaluation stand for. */
import type { Evaluation } from '../../../src/client/index.ts';

const digits = Array.from({ length: 10 }, (_, digit) => String(digit)); // of older versions

export function labelsOf({ labels }: Pick<Evaluation, 'labels'>): readonly string[] {
  return labels ?? digits;
}
