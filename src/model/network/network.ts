/**
 * The networks: what they are made of, how they compute, and their description in tfjs
 * LayersModel form. Weights are one flat vector in layer order (kernel, then bias), so that the
 * optimizer works on one tensor and `weights.bin` is that vector as it is.
 */
import * as tf from '@tensorflow/tfjs';
import { randomFor, uniform } from '../../lib/random.ts';
import { classCount, imageSide } from '../data/dataset.ts';
import { tuning } from '../engines/tuning.ts';

/** A convolution with stride 1 that keeps height and width; ReLU; then, if asked, a max-pool. */
type Convolution = {
  readonly kind: 'convolution';
  readonly filters: number;
  readonly kernelSize: number;
  readonly pool?: number;
};
type Dense = { readonly kind: 'dense'; readonly units: number };
export type Layer = Convolution | Dense;
export type Network = { readonly name: NetworkName; readonly layers: readonly Layer[] };

export type NetworkName = 'article';
export const networkNames = ['article'] as const satisfies readonly NetworkName[];

export const networks: Readonly<Record<NetworkName, Network>> = {
  /** The article's network: 121,514 parameters. */
  article: {
    name: 'article',
    layers: [
      { kind: 'convolution', filters: 16, kernelSize: 5, pool: 2 }, // 28×28×1 → 14×14×16
      { kind: 'convolution', filters: 32, kernelSize: 5 }, //          14×14×16 → 14×14×32
      { kind: 'convolution', filters: 32, kernelSize: 5, pool: 2 }, // 14×14×32 → 7×7×32
      { kind: 'convolution', filters: 64, kernelSize: 5 }, //          7×7×32 → 7×7×64
      { kind: 'dense', units: classCount }, //                         3136 → 10 logits
    ],
  },
};

export type Parameter = { readonly name: string; readonly shape: number[]; readonly fanIn: number };

/** Every parameter in the order of the flat vector; names as Keras would give them. */
export function parametersOf(network: Network): Parameter[] {
  let side = imageSide;
  let channels = 1;
  return network.layers.flatMap((layer, index) => {
    const name = layerName(layer, index);
    if (layer.kind === 'dense') {
      const fanIn = side * side * channels;
      return kernelAndBias(name, [fanIn, layer.units], fanIn, layer.units);
    }
    const { kernelSize: k, filters, pool = 1 } = layer;
    const pair = kernelAndBias(name, [k, k, channels, filters], k * k * channels, filters);
    side /= pool;
    channels = filters;
    return pair;
  });
}

export function parameterCount(network: Network): number {
  return parametersOf(network).reduce((sum, { shape }) => sum + tf.util.sizeFromShape(shape), 0);
}

/**
 * Fresh weights, flat: every kernel and bias uniform in ±1/√fanIn, which is what PyTorch's layers
 * start from (kaiming_uniform with a = √5) and so what the article's program starts from.
 */
export function initialWeights(network: Network, seed: number): Float32Array {
  const random = randomFor(seed, 'initialise');
  const weights = new Float32Array(parameterCount(network));
  let offset = 0;
  for (const { shape, fanIn } of parametersOf(network)) {
    const values = uniform(random, tf.util.sizeFromShape(shape), 1 / Math.sqrt(fanIn));
    weights.set(values, offset);
    offset += values.length;
  }
  return weights;
}

/** The flat vector cut into the network's parameters, each in its shape. */
export function unflatten(network: Network, flat: tf.Tensor1D): tf.Tensor[] {
  const parameters = parametersOf(network);
  const sizes = parameters.map(({ shape }) => tf.util.sizeFromShape(shape));
  return tf.split(flat, sizes).map((part, index) => part.reshape(parameters[index]!.shape));
}

/** images [N, 28, 28, 1] in 0 … 1 → logits [N, 10]. */
export type Forward = (
  network: Network,
  parameters: readonly tf.Tensor[],
  images: tf.Tensor4D,
) => tf.Tensor2D;

/** In the way of the backend in use; for inference, since it may know no gradient. */
export const forward: Forward = (network, parameters, images) =>
  (tuning().forward ?? referenceForward)(network, parameters, images);

/** In plain tfjs, to be differentiated and to compare with. */
export const referenceForward: Forward = (network, parameters, images) => {
  let x: tf.Tensor4D = images;
  for (const [index, layer] of network.layers.entries()) {
    const kernel = parameters[2 * index]!;
    const bias = parameters[2 * index + 1] as tf.Tensor1D;
    if (layer.kind === 'dense') {
      return x
        .reshape<tf.Tensor2D>([images.shape[0], -1])
        .matMul(kernel as tf.Tensor2D)
        .add(bias);
    }
    x = tf.conv2d(x, kernel as tf.Tensor4D, 1, 'same');
    // Pooling first is the same function, rounding included, since adding a bias and ReLU keep
    // order; they then touch a quarter of the values.
    if (layer.pool !== undefined) x = tf.maxPool(x, layer.pool, layer.pool, 'valid');
    x = x.add<tf.Tensor4D>(bias).relu();
  }
  throw new Error(`expected network "${network.name}" to end in a dense layer, it does not`);
};

/** The network as a Keras `Sequential`, ending in softmax, for the `modelTopology` of model.json. */
export function layersModelTopology(network: Network): object {
  const layers = network.layers.flatMap((layer, index) => kerasLayers(layer, index));
  const input = { batch_input_shape: [null, imageSide, imageSide, 1], dtype: 'float32' };
  Object.assign(layers[0]!.config, input);
  return {
    class_name: 'Sequential',
    config: { name: `trainyard_${network.name}`, layers },
    keras_version: `tfjs-layers ${tf.version.tfjs}`,
    backend: 'tensor_flow.js',
  };
}

type KerasLayer = { class_name: string; config: Record<string, unknown> };

function kerasLayers(layer: Layer, index: number): KerasLayer[] {
  const name = layerName(layer, index);
  if (layer.kind === 'dense') {
    return [
      { class_name: 'Flatten', config: { name: 'flatten' } },
      { class_name: 'Dense', config: { name, units: layer.units, activation: 'softmax', use_bias: true } },
    ];
  }
  const convolution = {
    class_name: 'Conv2D',
    config: {
      name,
      filters: layer.filters,
      kernel_size: [layer.kernelSize, layer.kernelSize],
      strides: [1, 1],
      padding: 'same',
      activation: 'relu',
      use_bias: true,
    },
  };
  if (layer.pool === undefined) return [convolution];
  const size = [layer.pool, layer.pool];
  const config = { name: `${name}_pool`, pool_size: size, strides: size, padding: 'valid' };
  return [convolution, { class_name: 'MaxPooling2D', config }];
}

function layerName(layer: Layer, index: number): string {
  return layer.kind === 'dense' ? 'dense' : `conv${index + 1}`;
}

function kernelAndBias(name: string, shape: number[], fanIn: number, units: number): Parameter[] {
  return [
    { name: `${name}/kernel`, shape, fanIn },
    { name: `${name}/bias`, shape: [units], fanIn },
  ];
}
