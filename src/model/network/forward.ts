/** The forward pass of a network: images in, logits out. */
import * as tf from '../tfjs.ts';
import { type Network, parametersOf, sizeOf } from './network.ts';
import { backendOperations, type Forward } from './operations.ts';

/** Splits the flat weights into the network's parameters, each in its shape. */
export function unflatten(network: Network, flat: tf.Tensor1D): tf.Tensor[] {
  const parameters = parametersOf(network);
  const sizes = parameters.map(({ shape }) => sizeOf(shape));
  return tf.split(flat, sizes).map((part, index) => part.reshape(parameters[index]!.shape));
}

/** Uses the backend's own forward pass if it has one. For inference only: that one may have no gradient. */
export const forward: Forward = (network, parameters, images) =>
  (backendOperations().forward ?? referenceForward)(network, parameters, images);

/** The reference implementation in plain tfjs, which tfjs can differentiate. */
export const referenceForward: Forward = (network, parameters, images) => {
  let x: tf.Tensor = images;
  const last = network.layers.length - 1;
  for (const [index, layer] of network.layers.entries()) {
    const kernel = parameters[2 * index]!;
    const bias = parameters[2 * index + 1] as tf.Tensor1D;
    if (layer.kind === 'dense') {
      const rows = x.reshape<tf.Tensor2D>([images.shape[0], -1]); // [N, inputs]
      const y = rows.matMul<tf.Tensor2D>(kernel).add<tf.Tensor2D>(bias);
      x = index === last ? y : y.relu();
      continue;
    }
    x = tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, 'same');
    // Pooling first gives the same values, rounding included, because bias and ReLU are monotonic; they then
    // have a quarter of the values to process.
    if (layer.pool !== undefined) x = tf.maxPool(x as tf.Tensor4D, layer.pool, layer.pool, 'valid');
    x = x.add(bias).relu();
  }
  return x as tf.Tensor2D;
};
