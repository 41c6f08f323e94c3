/** Evaluates a network on examples that it was not trained on. */
import type { Split } from '../data/dataset.ts';
import { labelCountOf, type Network } from '../network/network.ts';
import type * as tf from '../tfjs.ts';
import { readLogits } from './logits.ts';
import { indexOfMaximum, logSumExp } from './softmax.ts';

export type Answers = {
  readonly loss: number; // mean cross-entropy at temperature 1
  readonly accuracy: number; // 0 … 1
  readonly predictions: Uint16Array; // [count], positions of labels
  readonly logits: Float32Array; // [count × labels]
};

/**
 * Runs the whole split through the network.
 *
 * @throws the signal's reason when it aborts
 */
export async function evaluate(
  network: Network,
  weights: tf.Tensor1D,
  split: Split,
  signal?: AbortSignal,
): Promise<Answers> {
  const logits = await readLogits(network, weights, split, signal);
  const labels = labelCountOf(network);
  const predictions = new Uint16Array(split.count);
  let lossSum = 0;
  let correct = 0;
  for (let example = 0; example < split.count; example++) {
    const row = example * labels;
    const label = split.labels[example]!;
    predictions[example] = indexOfMaximum(logits, row, labels);
    lossSum += logSumExp(logits, row, labels) - logits[row + label]!;
    if (predictions[example] === label) correct++;
  }
  return { loss: lossSum / split.count, accuracy: correct / split.count, predictions, logits };
}

/** The accuracy of answering the most frequent label every time: what a dead network reaches. */
export function constantAnswerAccuracy(split: Split): number {
  const counts = new Map<number, number>();
  for (const label of split.labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Math.max(...counts.values()) / split.count;
}
