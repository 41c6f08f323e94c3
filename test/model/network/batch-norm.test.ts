/** Batch normalisation in the reference, and folded away: on tfjs's plain `cpu` backend. */
import * as tf from '@tensorflow/tfjs';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { takeBatch } from '../../../src/model/data/batch.ts';
import { foldedNetwork, populationMoments } from '../../../src/model/network/fold-batch-norm.ts';
import { forward, referenceForward, unflatten } from '../../../src/model/network/forward.ts';
import {
  buildNetwork,
  initialWeights,
  parameterCount,
  parametersOf,
  sizeOf,
} from '../../../src/model/network/network.ts';
import { referenceLossAndGradient } from '../../../src/model/network/step.ts';
import { plainModelOf } from '../../../src/model/training/plain-model.ts';
import { mnist } from '../data/mnist.ts';

const network = buildNetwork(
  {
    layers: [
      { kind: 'convolution', filters: 2, kernelSize: 3, pool: 3, batchNorm: true }, // 28×28 → 9×9
      { kind: 'convolution', filters: 3, kernelSize: 1 },
      { kind: 'convolution', filters: 2, kernelSize: 3, batchNorm: true },
      { kind: 'dense', units: 4 },
    ],
  },
  10,
);
const options = { labelSmoothing: 0.1, rejects: true };
const batchOf = (count: number, start = 0) =>
  takeBatch(
    mnist.train,
    Uint32Array.from({ length: count }, (_, i) => start + i),
    0,
    count,
  );

beforeAll(() => tf.setBackend('cpu'));

/** Replaces the parameters whose name matches; the function gets the old value and the position. */
function changed(weights: Float32Array, name: RegExp, change: (value: number, i: number) => number) {
  const copy = weights.slice();
  let offset = 0;
  for (const parameter of parametersOf(network)) {
    const end = offset + sizeOf(parameter.shape);
    if (name.test(parameter.name)) copy.set(copy.subarray(offset, end).map(change), offset);
    offset = end;
  }
  return copy;
}

const scaled = (seed: number) =>
  changed(initialWeights(network, seed), /gamma|beta/, (value, i) => (value + 0.5) * (i % 2 ? -1 : 1));

describe('the reference with batch normalisation', () => {
  it('has the gradient that finite differences have, in the direction of each parameter’s gradient', () => {
    const batch = batchOf(4);
    const at = (weights: Float32Array) => {
      const { loss, gradient } = referenceLossAndGradient(network, tf.tensor1d(weights), batch, options);
      return { loss: loss.dataSync()[0]!, gradient: gradient.dataSync<'float32'>() };
    };
    const weights = scaled(3);
    const { gradient } = at(weights);
    expect(gradient).toHaveLength(parameterCount(network));
    let offset = 0;
    for (const { name, shape } of parametersOf(network)) {
      const [start, end] = [offset, offset + sizeOf(shape)];
      offset = end;
      const norm = Math.hypot(...gradient.subarray(start, end));
      expect(norm, name).toBeGreaterThan(1e-4);
      const along = (distance: number) =>
        weights.map((value, i) => (i >= start && i < end ? value + (distance * gradient[i]!) / norm : value));
      const h = 2e-3;
      const slope = (at(along(h)).loss - at(along(-h)).loss) / (2 * h);
      expect(Math.abs(slope - norm), name).toBeLessThan(0.02 * norm + 3e-4); // float32 rounds the losses
    }
  });

  it('normalises: every channel that leaves γ = 1, β = 0 has mean 0 and variance 1', () => {
    const { images } = batchOf(5);
    const parameters = unflatten(network, tf.tensor1d(initialWeights(network, 1)));
    const seen: number[][] = [];
    referenceForward(network, parameters, images, (mean, variance) => {
      seen.push([...mean.dataSync()], [...variance.dataSync()]);
    });
    expect(seen.map(({ length }) => length)).toEqual([2, 2, 2, 2]);
    const logits = referenceForward(network, parameters, images);
    const [kernel, ...others] = parameters;
    const larger = referenceForward(network, [kernel!.mul(7), ...others], images);
    expect(greatestDifference(larger, logits)).toBeLessThan(1e-2); // the size of a kernel no longer matters, but for ε
  });

  it('is not what answers: an image’s logits would depend on the others', () => {
    const { images } = batchOf(2);
    const parameters = unflatten(network, tf.tensor1d(initialWeights(network, 1)));
    expect(() => forward(network, parameters, images)).toThrow(
      'expected network "custom" with its batch normalisation folded, it is not',
    );
  });
});

describe('folded batch normalisation', () => {
  it('gives the logits of a batch that is the whole population, whatever γ, β and σ', async () => {
    const value = fc.double({ min: -2, max: 2, noNaN: true });
    const drawn = fc.record({
      gamma: fc.array(fc.oneof(value, fc.constant(0)), { minLength: 2, maxLength: 2 }),
      beta: fc.array(value, { minLength: 2, maxLength: 2 }),
      spread: fc.constantFrom(0, 1e-6, 1e-3, 1, 10), // of the first kernel, and so of what is normalised
      seed: fc.nat(1000),
    });
    const batch = batchOf(6);
    await fc.assert(
      fc.asyncProperty(drawn, async ({ gamma, beta, spread, seed }) => {
        let weights = changed(initialWeights(network, seed), /gamma/, (_, i) => gamma[i]!);
        weights = changed(weights, /beta/, (_, i) => beta[i]!);
        weights = changed(weights, /^conv1\/kernel/, (old) => spread * old);
        const flat = tf.tensor1d(weights);
        const expected = referenceForward(network, unflatten(network, flat), batch.images);
        const plain = await plainModelOf(network, flat, () => [copyOf(batch)]);
        expect(plain.network).toEqual(foldedNetwork(network));
        expect(JSON.stringify(plain.network)).not.toContain('batchNorm');
        const got = forward(plain.network, unflatten(plain.network, plain.weights), batch.images);
        const scale = Math.max(0.1, ...expected.abs().dataSync());
        expect(greatestDifference(got, expected) / scale).toBeLessThan(1e-3);
      }),
      { numRuns: 40 },
    );
  });

  it('leaves the weights of a network without as they are, and needs no images for it', async () => {
    const plain = foldedNetwork(network);
    const weights = initialWeights(plain, 1);
    const folded = await plainModelOf(plain, tf.tensor1d(weights), () => {
      throw new Error('expected no batch to be asked for');
    });
    expect(folded.network).toBe(plain);
    expect(folded.weights.dataSync()).toEqual(weights);
  });

  it('disposes the batches, keeps nothing but the weights, and ends when told to', async () => {
    const flat = tf.tensor1d(scaled(1));
    const before = tf.memory().numTensors;
    const { weights } = await plainModelOf(network, flat, () => [batchOf(2), batchOf(3, 2)]);
    expect(tf.memory().numTensors).toBe(before + 1);
    weights.dispose();
    const batches = () => [batchOf(2)];
    await expect(
      plainModelOf(network, flat, batches, AbortSignal.abort(new Error('stopped'))),
    ).rejects.toThrow('stopped');
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('the moments of a population', () => {
  it('are those of all values, from batches of any sizes', () => {
    const values = fc.array(fc.double({ min: -1000, max: 1000, noNaN: true }), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 6 }), (batches) => {
        const whole = momentsOf(batches.flat());
        const { mean, variance } = populationMoments(
          batches.map((batch) => {
            const own = momentsOf(batch);
            return {
              count: batch.length,
              mean: Float64Array.of(own.mean),
              variance: Float64Array.of(own.variance),
            };
          }),
        );
        expect(mean[0]).toBeCloseTo(whole.mean, 6);
        expect(variance[0]).toBeCloseTo(whole.variance, 4);
      }),
    );
  });
});

function momentsOf(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, variance };
}

function copyOf({ images, labels }: ReturnType<typeof batchOf>): ReturnType<typeof batchOf> {
  return { images: images.clone(), labels: labels.clone() };
}

function greatestDifference(a: tf.Tensor, b: tf.Tensor): number {
  return a.sub(b).abs().max().dataSync()[0]!;
}

it('gives `wide-normalised` the layers of `wide` once it is folded', () => {
  const normalised = buildNetwork('wide-normalised', 10);
  expect(normalised.layers.filter((layer) => 'batchNorm' in layer && layer.batchNorm)).toHaveLength(4);
  expect(foldedNetwork(normalised).layers).toEqual(buildNetwork('wide', 10).layers);
});
