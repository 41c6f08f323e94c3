/** Reads the logits of a network on many examples. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { toImageTensor } from '../data/batch.ts';
import { classCount, imageSize, type Split } from '../data/dataset.ts';
import { forward, unflatten } from '../network/forward.ts';
import type { Network } from '../network/network.ts';
import * as tf from '../tfjs.ts';

const batchSize = 250; // examples; small enough that an abort takes effect within a second on any engine

/**
 * The logits [count × 10] of a whole split, row-major.
 *
 * @throws the signal's reason when it aborts
 */
export async function readLogits(
  network: Network,
  weights: tf.Tensor1D,
  { count, images }: Pick<Split, 'count' | 'images'>,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const logits = new Float32Array(count * classCount);
  for (let start = 0; start < count; start += batchSize) {
    const end = Math.min(start + batchSize, count);
    const result = tf.tidy(() => {
      const batch = toImageTensor(images.subarray(start * imageSize, end * imageSize));
      return forward(network, unflatten(network, weights), batch);
    });
    logits.set((await result.data()) as Float32Array, start * classCount);
    result.dispose();
    await nextTurn();
    signal?.throwIfAborted();
  }
  return logits;
}

/** The index, relative to `start`, of the largest of values[start … start + length); NaN never wins. */
export function indexOfMaximum(values: ArrayLike<number>, start: number, length: number): number {
  let best = 0;
  for (let i = 1; i < length; i++) {
    if (values[start + i]! > values[start + best]!) best = i;
  }
  return best;
}

/** log Σ exp(logits / temperature) over one row of `length` logits from `start` on. */
export function logSumExp(logits: ArrayLike<number>, start: number, length: number, temperature = 1): number {
  const most = logits[start + indexOfMaximum(logits, start, length)]! / temperature;
  let sum = 0;
  for (let i = start; i < start + length; i++) sum += Math.exp(logits[i]! / temperature - most);
  return most + Math.log(sum);
}
