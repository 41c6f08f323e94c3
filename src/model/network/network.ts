/**
 * The networks: their layers and initial weights. Weights are one flat vector in layer order (kernel, then bias), so
 * that the optimizer works on one tensor, and `weights.bin` is that vector. This file loads no tfjs, so that any
 * process can import it.
 */
import { randomFor, uniform } from '../../lib/random.ts';
import { classCount, imageSide } from '../data/dataset.ts';

/** A convolution with stride 1 that keeps height and width, then ReLU, then a max-pool if `pool` is set. */
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

/** All parameters in the order of the flat vector, with Keras names. */
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
  return parametersOf(network).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/**
 * The initial weights, flat: every kernel and bias is uniform in ±1/√fanIn, as in PyTorch (kaiming_uniform with
 * a = √5) and therefore in the article's program.
 */
export function initialWeights(network: Network, seed: number): Float32Array {
  const random = randomFor(seed, 'initialise');
  const weights = new Float32Array(parameterCount(network));
  let offset = 0;
  for (const { shape, fanIn } of parametersOf(network)) {
    const values = uniform(random, sizeOf(shape), 1 / Math.sqrt(fanIn));
    weights.set(values, offset);
    offset += values.length;
  }
  return weights;
}

export function layerName(layer: Layer, index: number): string {
  return layer.kind === 'dense' ? 'dense' : `conv${index + 1}`;
}

function kernelAndBias(name: string, shape: number[], fanIn: number, units: number): Parameter[] {
  return [
    { name: `${name}/kernel`, shape, fanIn },
    { name: `${name}/bias`, shape: [units], fanIn },
  ];
}

/** How many values a tensor of this shape holds. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}
