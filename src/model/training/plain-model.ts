/**
 * What a run evaluates and publishes: its network and weights as they are or, with batch normalisation, folded with the
 * moments of the population. These are computed anew from the training images each time, so that a run keeps no running
 * averages, and a resume point needs nothing but weights and optimizer.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Batch } from '../data/batch.ts';
import { foldBatchNorm, foldedNetwork, type Moments, populationMoments } from '../network/fold-batch-norm.ts';
import { referenceForward, unflatten } from '../network/forward.ts';
import type { Network } from '../network/network.ts';
import { isNormalised } from '../network/specification.ts';
import * as tf from '../tfjs.ts';

/** A network without batch normalisation, and its flat weights. */
export type PlainModel = { readonly network: Network; readonly weights: tf.Tensor1D };

/**
 * Folds the batch normalisation of `network`. `batches` are the population: each is normalised by itself, as in a training
 * step, and disposed. The caller owns `weights` and the result's.
 *
 * @throws the signal's reason when it aborts
 */
export async function plainModelOf(
  network: Network,
  weights: tf.Tensor1D,
  batches: () => Iterable<Batch>,
  signal?: AbortSignal,
): Promise<PlainModel> {
  if (!network.layers.some(isNormalised)) return { network, weights: weights.clone() };
  const moments = await momentsOf(network, weights, batches(), signal);
  const folded = foldBatchNorm(network, await weights.data<'float32'>(), moments);
  return { network: foldedNetwork(network), weights: tf.tensor1d(folded) };
}

/** The population's moments, one for each normalised layer. */
async function momentsOf(
  network: Network,
  weights: tf.Tensor1D,
  batches: Iterable<Batch>,
  signal?: AbortSignal,
): Promise<Moments[]> {
  const widths = network.layers.flatMap((layer) =>
    layer.kind === 'convolution' && isNormalised(layer) ? [layer.filters] : [],
  );
  const read: { readonly count: number; readonly values: Float64Array }[] = [];
  for (const { images, labels } of batches) {
    const observed = tf.tidy(() => {
      const all: tf.Tensor1D[] = [];
      referenceForward(
        network,
        unflatten(network, weights),
        images,
        (...moments) => void all.push(...moments),
      );
      return tf.concat1d(all); // mean [C], variance [C] of the first layer, then those of the second …
    });
    read.push({ count: labels.size, values: Float64Array.from(await observed.data<'float32'>()) });
    tf.dispose([images, labels, observed]);
    await nextTurn();
    signal?.throwIfAborted();
  }
  let start = 0;
  return widths.map((width) => {
    const [from, middle, end] = [start, start + width, start + 2 * width];
    start = end;
    return populationMoments(
      read.map(({ count, values }) => {
        return { count, mean: values.subarray(from, middle), variance: values.subarray(middle, end) };
      }),
    );
  });
}
