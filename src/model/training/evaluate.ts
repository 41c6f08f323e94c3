/** Evaluates a network on examples that it was not trained on. */
import { classCount, type Split } from '../data/dataset.ts';
import type { Network } from '../network/network.ts';
import type * as tf from '../tfjs.ts';
import { readLogits } from './logits.ts';
import { indexOfMaximum, logSumExp } from './softmax.ts';

export type Answers = {
  readonly loss: number; // mean cross-entropy at temperature 1
  readonly accuracy: number; // 0 … 1
  readonly predictions: Uint8Array; // [count], 0 … 9
  readonly logits: Float32Array; // [count × 10]
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
  const predictions = new Uint8Array(split.count);
  let lossSum = 0;
  let correct = 0;
  for (let example = 0; example < split.count; example++) {
    const row = example * classCount;
    const label = split.labels[example]!;
    predictions[example] = indexOfMaximum(logits, row, classCount);
    lossSum += logSumExp(logits, row, classCount) - logits[row + label]!;
    if (predictions[example] === label) correct++;
  }
  return { loss: lossSum / split.count, accuracy: correct / split.count, predictions, logits };
}

/** The accuracy of answering the most frequent digit every time: what a dead network reaches. */
export function constantAnswerAccuracy(split: Split): number {
  const counts = Array.from({ length: classCount }, () => 0);
  for (const label of split.labels) counts[label]!++;
  return Math.max(...counts) / split.count;
}
