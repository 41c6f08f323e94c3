/** Reads the logits of a network on many examples. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { imageSize, type Split } from '../data/dataset.ts';
import { toImageTensor } from '../data/image-tensor.ts';
import { forward, unflatten } from '../network/forward.ts';
import { labelCountOf, type Network } from '../network/network.ts';
import * as tf from '../tfjs.ts';

const batchSize = 250; // examples; small enough that an abort takes effect within a second on any engine

/**
 * The logits [count × labels] of a whole split, row-major.
 *
 * @throws the signal's reason when it aborts
 */
export async function readLogits(
  network: Network,
  weights: tf.Tensor1D,
  { count, images }: Pick<Split, 'count' | 'images'>,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const labels = labelCountOf(network);
  const logits = new Float32Array(count * labels);
  for (let start = 0; start < count; start += batchSize) {
    const end = Math.min(start + batchSize, count);
    const result = tf.tidy(() => {
      const batch = toImageTensor(images.subarray(start * imageSize, end * imageSize));
      return forward(network, unflatten(network, weights), batch);
    });
    logits.set((await result.data()) as Float32Array, start * labels);
    result.dispose();
    await nextTurn();
    signal?.throwIfAborted();
  }
  return logits;
}
