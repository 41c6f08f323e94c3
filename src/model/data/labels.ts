/** The labels of a data set: what its pictures can show. */

export const leastLabels = 2;
export const mostLabels = 1000;
export const mostLabelLength = 64; // characters

/** 0 … 9, as MNIST's are. Older versions of a model have these. */
export const digitLabels: readonly string[] = Array.from({ length: 10 }, (_, digit) => String(digit));

/** Whether a label's position is the digit that it names. */
export function areDigits(labels: readonly string[]): boolean {
  return areSame(labels, digitLabels);
}

/** Whether two versions with these labels give the same kind of answer. */
export function areSame(labels: readonly string[], others: readonly string[]): boolean {
  return labels.length === others.length && labels.every((label, i) => label === others[i]);
}

const mostListed = 5;

/** "a, b, c, d, e, …" */
export function listLabels(labels: readonly string[]): string {
  return labels.slice(0, mostListed).join(', ') + (labels.length > mostListed ? ', …' : '');
}
