/** The gradients of an engine, to compare them with those of tfjs's plain `cpu` backend. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import { randomFor } from '../../../src/lib/random.ts';
import { takeBatch } from '../../../src/model/data/batch.ts';
import { digitLabels } from '../../../src/model/data/labels.ts';
import { outliersFor } from '../../../src/model/data/outliers/outliers.ts';
import {
  buildNetwork,
  initialWeights,
  labelCountOf,
  type Network,
  parametersOf,
} from '../../../src/model/network/network.ts';
import { backendOperations } from '../../../src/model/network/operations.ts';
import type { Layer } from '../../../src/model/network/specification.ts';
import { referenceLossAndGradient } from '../../../src/model/network/step.ts';
import { isLong } from '../../long.ts';
import { mnist } from '../data/mnist.ts';

export const digitOutliers = { classIndex: 10, draw: outliersFor(digitLabels) };
const article = buildNetwork('article', 10);
/** The article's network; in the short form with a fourth of its filters, which takes a tenth of the time. */
export const network = isLong
  ? article
  : buildNetwork({ layers: article.layers.slice(0, -1).map(quarter) }, 10);
/** Each kind of layer, an image whose side no pool divides, and more labels than MNIST has. */
export const mixed = buildNetwork(
  {
    layers: [
      { kind: 'convolution', filters: 3, kernelSize: 3, pool: 3 }, // 28×28 → 9×9
      { kind: 'convolution', filters: 4, kernelSize: 1 },
      { kind: 'convolution', filters: 2, kernelSize: 5, pool: 2 }, // → 4×4
      { kind: 'dense', units: 7 },
      { kind: 'dense', units: 5 },
    ],
  },
  12,
);
/** Batch normalisation with and without a pool, before and after a layer without. */
export const normalised = buildNetwork(
  {
    layers: [
      { kind: 'convolution', filters: 3, kernelSize: 3, pool: 3, batchNorm: true },
      { kind: 'convolution', filters: 4, kernelSize: 1 },
      { kind: 'convolution', filters: 5, kernelSize: 3, batchNorm: true },
      { kind: 'convolution', filters: 4, kernelSize: 5, pool: 2, batchNorm: true },
    ],
  },
  12,
);
export const options = { learningRate: 0.001, labelSmoothing: 0.1, rejects: true };

export type Gradient = { readonly loss: number; readonly gradient: Float32Array };

export function expectSameGradient(of: Network, got: Gradient, expected: Gradient): void {
  expect(relativeError([got.loss], [expected.loss])).toBeLessThan(1e-3);
  let offset = 0;
  for (const { name: parameter, shape } of parametersOf(of)) {
    const end = offset + tf.util.sizeFromShape(shape);
    const [mine, theirs] = [got, expected].map(({ gradient }) => gradient.subarray(offset, end));
    expect(relativeError(mine!, theirs!), parameter).toBeLessThan(1e-3);
    offset = end;
  }
  expect(offset).toBe(expected.gradient.length);
}

export async function gradientOnBackend(images: 'many' | 'few', of = network): Promise<Gradient> {
  const digits = images === 'many' ? Uint32Array.of(10, 20) : Uint32Array.of(10);
  const outliers = {
    ...digitOutliers,
    classIndex: labelCountOf(of),
    count: 1,
    random: randomFor(1, 'outliers'),
  };
  const batch = takeBatch(mnist.train, digits, 0, digits.length, { outliers });
  const weights = tf.tensor1d(scaledWeights(of));
  const { lossAndGradient = referenceLossAndGradient } = backendOperations();
  const { loss, gradient } = lossAndGradient(of, weights, batch, options);
  const result = {
    loss: (await loss.data())[0]!,
    gradient: (await gradient.data<'float32'>()).slice(),
  };
  tf.dispose([batch.images, batch.labels, weights, loss, gradient]);
  return result;
}

function quarter(layer: Layer): Layer {
  return layer.kind === 'convolution' ? { ...layer, filters: layer.filters / 4 } : layer;
}

/** Initial weights in which each γ of batch normalisation differs, and every second one is negative; β likewise. */
function scaledWeights(of: Network): Float32Array {
  const weights = initialWeights(of, 5);
  let offset = 0;
  for (const { name, shape } of parametersOf(of)) {
    const end = offset + tf.util.sizeFromShape(shape);
    if (/gamma|beta/.test(name))
      for (let i = offset; i < end; i++) weights[i] = (i % 2 ? 1 : -1) * (0.5 + (i - offset) / 10);
    offset = end;
  }
  return weights;
}

/** The largest difference, as a share of the largest expected value. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return difference / scale;
}
