/**
 * Folds batch normalisation into the convolutions before it: a network that was trained with it becomes one without it,
 * which gives the same logits for each image, whatever else is in its batch. What is evaluated, published and served is
 * such a plain network. This file loads no tfjs.
 */
import { type Network, parameterCount } from './network.ts';
import { isNormalised, type Layer, sizesOf } from './specification.ts';

export const batchNormEpsilon = 1e-5; // added to the variance; PyTorch's

/** Mean and variance [C] of what a normalised layer's convolution gives. */
export type Moments = { readonly mean: Float64Array; readonly variance: Float64Array };

/** The network that the folded weights are for. One without batch normalisation stays as it is. */
export function foldedNetwork(network: Network): Network {
  return { ...network, layers: network.layers.map(withoutBatchNorm) };
}

function withoutBatchNorm(layer: Layer): Layer {
  if (layer.kind === 'dense') return layer;
  const { batchNorm: _, ...plain } = layer;
  return plain;
}

/**
 * Folds the flat weights of `network` into those of `foldedNetwork(network)`: kernel · γ/σ and β - μ · γ/σ. `moments` are
 * those of the population, one for each normalised layer.
 */
export function foldBatchNorm(
  network: Network,
  weights: Float32Array,
  moments: readonly Moments[],
): Float32Array {
  const folded = new Float32Array(parameterCount(foldedNetwork(network)));
  const sizes = sizesOf(network.layers);
  const left = [...moments];
  let [read, written] = [0, 0];
  const take = (count: number) => weights.subarray(read, (read += count));
  const put = (values: ArrayLike<number>) => {
    folded.set(values, written);
    written += values.length;
  };
  for (const [index, layer] of network.layers.entries()) {
    const { fanIn, units } = sizes[index]!;
    const [kernel, bias] = [take(fanIn * units), take(units)];
    if (isNormalised(layer)) {
      const { mean, variance } = left.shift()!;
      const scale = Float64Array.from(
        take(units),
        (gamma, c) => gamma / Math.sqrt(variance[c]! + batchNormEpsilon),
      );
      put(kernel.map((value, i) => value * scale[i % units]!)); // [k, k, channels, units]
      put(bias.map((beta, c) => beta - mean[c]! * scale[c]!));
    } else {
      put(kernel);
      put(bias);
    }
  }
  return folded;
}

export const populationImages = 2000; // training images, at most, that a population's moments come from

/** The moments of one batch, of `count` images. */
export type BatchMoments = Moments & { readonly count: number };

/**
 * The population's moments of one layer from those of its batches (Wu and Johnson, 2021, "Rethinking 'batch' in
 * BatchNorm", section 3), each by its share of the images.
 */
export function populationMoments(batches: readonly BatchMoments[]): Moments {
  const total = batches.reduce((sum, { count }) => sum + count, 0);
  const average = (valueOf: (batch: BatchMoments, channel: number) => number) =>
    batches[0]!.mean.map((_, channel) =>
      batches.reduce((sum, batch) => sum + (batch.count / total) * valueOf(batch, channel), 0),
    );
  const mean = average((batch, c) => batch.mean[c]!);
  const variance = average((batch, c) => batch.variance[c]! + (batch.mean[c]! - mean[c]!) ** 2);
  return { mean, variance };
}
