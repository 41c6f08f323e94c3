/** The labels of a data set: what its pictures can show. */

export const leastLabels = 2;
export const mostLabels = 1000;
export const mostLabelLength = 64; // characters

/** 0 … 9, as MNIST's are. Older versions of a model have these. */
export const digitLabels: readonly string[] = Array.from({ length: 10 }, (_, digit) => String(digit));

/** Whether a label's position is the digit that it names. */
export function areDigits(labels: readonly string[]): boolean {
  return labels.length === digitLabels.length && labels.every((label, i) => label === digitLabels[i]);
}
