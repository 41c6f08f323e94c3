/** Evaluates a network on examples that it was not trained on. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { toImageTensor } from '../data/batch.ts';
import { classCount, imageSize, type Split } from '../data/dataset.ts';
import { forward, unflatten } from '../network/forward.ts';
import type { Network } from '../network/network.ts';
import * as tf from '../tfjs.ts';

const batchSize = 250; // examples; small enough that an abort takes effect within a second on any engine

export type Answers = {
  readonly loss: number; // mean cross-entropy
  readonly accuracy: number; // 0 … 1
  readonly predictions: Uint8Array; // [count], 0 … 9
  readonly confidences: Float32Array; // [count], probability of each prediction, 0 … 1
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
  const predictions = new Uint8Array(split.count);
  const confidences = new Float32Array(split.count);
  let lossSum = 0;
  let correct = 0;
  for (let start = 0; start < split.count; start += batchSize) {
    const end = Math.min(start + batchSize, split.count);
    const logProbabilities = await inferLogProbabilities(network, weights, split, start, end);
    for (let example = start; example < end; example++) {
      const row = (example - start) * classCount;
      const digit = indexOfMaximum(logProbabilities, row, classCount);
      const label = split.labels[example]!;
      predictions[example] = digit;
      confidences[example] = Math.min(1, Math.exp(logProbabilities[row + digit]!)); // engines round
      lossSum -= logProbabilities[row + label]!;
      if (digit === label) correct++;
    }
    await nextTurn();
    signal?.throwIfAborted();
  }
  return { loss: lossSum / split.count, accuracy: correct / split.count, predictions, confidences };
}

/** The accuracy of answering the most frequent digit every time: what a dead network reaches. */
export function constantAnswerAccuracy(split: Split): number {
  const counts = Array.from({ length: classCount }, () => 0);
  for (const label of split.labels) counts[label]!++;
  return Math.max(...counts) / split.count;
}

/** Examples start … end as log-probabilities [(end - start) × 10], row-major. */
async function inferLogProbabilities(
  network: Network,
  weights: tf.Tensor1D,
  split: Split,
  start: number,
  end: number,
): Promise<Float32Array> {
  const result = tf.tidy(() => {
    const images = toImageTensor(split.images.subarray(start * imageSize, end * imageSize));
    return tf.logSoftmax(forward(network, unflatten(network, weights), images));
  });
  const values = (await result.data()) as Float32Array;
  result.dispose();
  return values;
}

/** The index, relative to `start`, of the largest of values[start … start + length); NaN never wins. */
export function indexOfMaximum(values: Float32Array, start: number, length: number): number {
  let best = 0;
  for (let i = 1; i < length; i++) {
    if (values[start + i]! > values[start + best]!) best = i;
  }
  return best;
}
