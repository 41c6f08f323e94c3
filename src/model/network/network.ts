/**
 * The networks: their layers and initial weights. Weights are one flat vector in layer order (kernel, bias, and the scale γ
 * of batch normalisation where there is one), so that the optimizer works on one tensor, and `weights.bin` is that
 * vector. This file loads no tfjs, so that any process can import it.
 */
import { randomFor, uniform } from '../../lib/random.ts';
import {
  isNormalised,
  type Layer,
  type NetworkSpecification,
  namedNetworks,
  sizesOf,
} from './specification.ts';

export type Network = { readonly name: string; readonly layers: readonly Layer[] };

/** The network of a specification for so many labels; they give the last, dense layer its units. */
export function buildNetwork(specification: NetworkSpecification, labelCount: number): Network {
  const isNamed = typeof specification === 'string';
  const hidden: readonly Layer[] = isNamed ? namedNetworks[specification] : specification.layers;
  return {
    name: isNamed ? specification : 'custom',
    layers: [...hidden, { kind: 'dense', units: labelCount }],
  };
}

/** How many logits a network gives. */
export function labelCountOf({ layers, name }: Network): number {
  const last = layers.at(-1);
  if (last?.kind === 'dense') return last.units;
  throw new Error(`expected network "${name}" to end in a dense layer, it does not`);
}

export type Parameter = {
  readonly name: string;
  readonly shape: number[];
  readonly initial: { readonly bound: number } | { readonly value: number }; // uniform in ±bound, or fixed
};

/** All parameters in the order of the flat vector, with Keras names. */
export function parametersOf(network: Network): Parameter[] {
  const sizes = sizesOf(network.layers);
  return network.layers.flatMap((layer, index) => {
    const { fanIn, units } = sizes[index]!;
    const k = layer.kind === 'dense' ? 0 : layer.kernelSize;
    const shape = k === 0 ? [fanIn, units] : [k, k, fanIn / k ** 2, units];
    const bound = 1 / Math.sqrt(fanIn);
    const name = layerName(network, index);
    return [
      { name: `${name}/kernel`, shape, initial: { bound } },
      ...(isNormalised(layer)
        ? scaleAndShift(name, units)
        : [{ name: `${name}/bias`, shape: [units], initial: { bound } }]),
    ];
  });
}

/** β takes the place of the bias, since the mean that is subtracted takes any bias away. */
function scaleAndShift(name: string, units: number): Parameter[] {
  return [
    { name: `${name}/beta`, shape: [units], initial: { value: 0 } },
    { name: `${name}/gamma`, shape: [units], initial: { value: 1 } },
  ];
}

export function parameterCount(network: Network): number {
  return parametersOf(network).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** Multiplications of one forward pass of one image. */
export function multiplications({ layers }: Network): number {
  return sizesOf(layers).reduce((sum, { places, fanIn, units }) => sum + places * fanIn * units, 0);
}

/**
 * The initial weights, flat: every kernel and bias is uniform in ±1/√fanIn, as in PyTorch (kaiming_uniform with
 * a = √5) and therefore in the article's program. Batch normalisation begins with γ = 1 and β = 0, as there.
 */
export function initialWeights(network: Network, seed: number): Float32Array {
  const random = randomFor(seed, 'initialise');
  const weights = new Float32Array(parameterCount(network));
  let offset = 0;
  for (const { shape, initial } of parametersOf(network)) {
    const size = sizeOf(shape);
    if ('bound' in initial) weights.set(uniform(random, size, initial.bound), offset);
    else weights.fill(initial.value, offset, offset + size);
    offset += size;
  }
  return weights;
}

/** The Keras name of a layer; the last one, which gives the logits, is "dense". */
export function layerName({ layers }: Network, index: number): string {
  if (index === layers.length - 1) return 'dense';
  return `${layers[index]!.kind === 'dense' ? 'dense' : 'conv'}${index + 1}`;
}

/** How many values a tensor of this shape holds. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}
