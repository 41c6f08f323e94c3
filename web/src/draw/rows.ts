/** What the bars show: up to ten labels of an answer and their probabilities. */
import type { Prediction } from '../../../src/client/index.ts';

export const mostRows = 10;

/** null: not known yet. */
export type BarRow = { readonly label: string | null; readonly share: number | null };

/**
 * All labels in their own order where they are few, the likeliest ones first where they are many. Before the first answer
 * there are as many rows as there will be, so that nothing moves.
 */
export function rowsOf(
  prediction: Pick<Prediction, 'top'> | null,
  labels: readonly string[],
): readonly BarRow[] {
  const areFew = labels.length <= mostRows;
  if (prediction === null) {
    const count = Math.min(mostRows, labels.length);
    return Array.from({ length: count }, (_, i) => ({ label: areFew ? labels[i]! : null, share: null }));
  }
  const likeliest = prediction.top ?? [];
  const shares = new Map(likeliest.map(({ label, probability }) => [label, probability]));
  // A version that was trained on other labels than the newest one names its own.
  const isOwn = labels.length === shares.size && labels.every((label) => shares.has(label));
  if (isOwn) return labels.map((label) => ({ label, share: shares.get(label)! }));
  return likeliest.map(({ label, probability }) => ({ label, share: probability }));
}
