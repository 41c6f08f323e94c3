/** The forward pass of a network: images in, logits out. */
import * as tf from '../tfjs.ts';
import { batchNormEpsilon } from './fold-batch-norm.ts';
import { type Network, parametersOf, sizeOf } from './network.ts';
import { backendOperations, type Forward } from './operations.ts';
import { isNormalised } from './specification.ts';

/** Splits the flat weights into the network's parameters, each in its shape. */
export function unflatten(network: Network, flat: tf.Tensor1D): tf.Tensor[] {
  const parameters = parametersOf(network);
  const sizes = parameters.map(({ shape }) => sizeOf(shape));
  return tf.split(flat, sizes).map((part, index) => part.reshape(parameters[index]!.shape));
}

/** `gamma`: the scale of batch normalisation, whose shift is the bias; null for a layer without. */
export type LayerParameters = {
  readonly kernel: tf.Tensor;
  readonly bias: tf.Tensor;
  readonly gamma: tf.Tensor | null;
};

/** Assigns the parameters, which are in the order of the flat weights, to their layers. */
export function parametersByLayer(network: Network, parameters: readonly tf.Tensor[]): LayerParameters[] {
  let next = 0;
  return network.layers.map((layer) => ({
    kernel: parameters[next++]!,
    bias: parameters[next++]!,
    gamma: isNormalised(layer) ? parameters[next++]! : null,
  }));
}

/**
 * Uses the backend's own forward pass if it has one. For inference only: that one may have no gradient, and what a network
 * answers must not depend on the other images of a batch.
 *
 * @throws Error for a network with batch normalisation, which is to be folded first (fold-batch-norm.ts)
 */
export const forward: Forward = (network, parameters, images) => {
  if (network.layers.some(isNormalised))
    throw new Error(`expected network "${network.name}" with its batch normalisation folded, it is not`);
  return (backendOperations().forward ?? referenceForward)(network, parameters, images);
};

/** Told the mean and the variance [C] of the batch by each normalised layer, in the order of the layers. */
export type ObserveMoments = (mean: tf.Tensor1D, variance: tf.Tensor1D) => void;

/** The reference implementation in plain tfjs, which tfjs can differentiate. Normalises by the batch's own moments. */
export const referenceForward = (
  network: Network,
  parameters: readonly tf.Tensor[],
  images: tf.Tensor4D,
  observe?: ObserveMoments,
): tf.Tensor2D => {
  let x: tf.Tensor = images;
  const last = network.layers.length - 1;
  const byLayer = parametersByLayer(network, parameters);
  for (const [index, layer] of network.layers.entries()) {
    const { kernel, bias, gamma } = byLayer[index]!;
    if (layer.kind === 'dense') {
      const rows = x.reshape<tf.Tensor2D>([images.shape[0], -1]); // [N, inputs]
      const y = rows.matMul<tf.Tensor2D>(kernel).add<tf.Tensor2D>(bias);
      x = index === last ? y : y.relu();
      continue;
    }
    x = tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, 'same');
    // With a negative γ, the maximum after the normalisation is the minimum before it: so it comes before the pool.
    if (gamma) x = batchNorm(x, gamma, bias, observe);
    // Pooling before bias and ReLU gives the same values, rounding included, because they are monotonic; they then
    // have a quarter of the values to process.
    if (layer.pool !== undefined) x = tf.maxPool(x as tf.Tensor4D, layer.pool, layer.pool, 'valid');
    x = gamma ? x.relu() : x.add(bias).relu();
  }
  return x as tf.Tensor2D;
};

/**
 * Batch normalisation (Ioffe and Szegedy, 2015, algorithm 1) of x [N, H, W, C], by channel. The variance is that of the
 * batch, without Bessel's correction.
 */
function batchNorm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, observe?: ObserveMoments): tf.Tensor {
  const values = x.size / x.shape.at(-1)!; // of each channel
  const mean = x.sum<tf.Tensor1D>([0, 1, 2]).div<tf.Tensor1D>(values);
  const centred = x.sub(mean);
  const variance = centred.square().sum<tf.Tensor1D>([0, 1, 2]).div<tf.Tensor1D>(values);
  observe?.(mean, variance);
  return centred.mul(variance.add(batchNormEpsilon).rsqrt().mul(gamma)).add(beta);
}
