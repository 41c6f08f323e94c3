/**
 * One suite for every engine. The references are computed first, on tfjs's plain `cpu` backend, before
 * the engine has put its own kernels and gradients in place.
 */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomFor } from '../../../src/lib/random.ts';
import { takeBatch } from '../../../src/model/data/batch.ts';
import type { Engine, EngineName } from '../../../src/model/engines/engine.ts';
import { openEngine } from '../../../src/model/engines/open-engine.ts';
import { forward, referenceForward, unflatten } from '../../../src/model/network/forward.ts';
import { initialWeights, parameterCount } from '../../../src/model/network/network.ts';
import type { Adam } from '../../../src/model/network/operations.ts';
import { backendOperations, type Operations } from '../../../src/model/network/operations.ts';
import type { NetworkSpecification } from '../../../src/model/network/specification.ts';
import { disposeState, initialState, referenceAdam, trainStep } from '../../../src/model/network/step.ts';
import { encodeCheckpoint } from '../../../src/model/store/checkpoint.ts';
import { surest } from '../../../src/model/training/calibration.ts';
import { evaluate } from '../../../src/model/training/evaluate.ts';
import { isLong } from '../../long.ts';
import { mnist, smallPlan, tinyPlan } from '../data/mnist.ts';
import { runTraining, runWithBreaks, withoutTime } from '../training/runs.ts';
import {
  digitOutliers,
  expectSameGradient,
  type Gradient,
  gradientOnBackend,
  mixed,
  network,
  normalised,
  options,
  relativeError,
} from './gradients.ts';

const quickToLearn: NetworkSpecification = {
  layers: [
    { kind: 'convolution', filters: 16, kernelSize: 5, pool: 2, batchNorm: true },
    { kind: 'convolution', filters: 16, kernelSize: 3, pool: 2, batchNorm: true },
  ],
};
/** What a run does is the same in any network; in the short form it does it in a cheap one. */
const inSmall = isLong ? {} : ({ network: 'small' } as const);
const never = new AbortController().signal;

export type SuiteOptions = {
  /** Why this machine does not have the engine, which skips the suite; null where it has. */
  readonly missing?: string | null;
  /** `few`: without what trains on hundreds of images, for an engine that may have no more than a few a second here. */
  readonly images?: 'many' | 'few';
  /** Whether the training loop is tested too, which does the same on every engine; by default it is. */
  readonly hasLoop?: boolean;
};

export function describeEngine(
  name: EngineName,
  { missing = null, images = 'many', hasLoop = true }: SuiteOptions = {},
): void {
  describe.skipIf(missing !== null)(`engine ${name}`, () => {
    let reference: Gradient;
    let mixedReference: Gradient;
    let normalisedReference: Gradient;
    let stepped: Record<string, Float32Array>;
    let engine: Engine;

    beforeAll(async () => {
      await tf.setBackend('cpu');
      reference = await gradientOnBackend(images);
      mixedReference = await gradientOnBackend(images, mixed);
      normalisedReference = await gradientOnBackend(images, normalised);
      stepped = await threeSteps(referenceAdam);
      tf.disposeVariables();
      engine = await openEngine(name);
    });

    it('says what it is', () => {
      expect(tf.getBackend()).toBe(name);
      expect(engine).toMatchObject({ name, device: expect.stringContaining(engine.gpu ? 'GPU' : 'CPU') });
    });

    it('has the gradients of the plain cpu backend, parameter by parameter', async () => {
      expectSameGradient(network, await gradientOnBackend(images), reference);
      expect(reference.gradient).toHaveLength(parameterCount(network));
    });

    it('has them for each kind of layer, with and without a pool, for any number of labels', async () => {
      expectSameGradient(mixed, await gradientOnBackend(images, mixed), mixedReference);
      const weights = tf.tensor1d(initialWeights(mixed, 3));
      const batch = takeBatch(mnist.test, Uint32Array.of(0), 0, 1);
      const logits = tf.tidy(() => forward(mixed, unflatten(mixed, weights), batch.images));
      const expected = tf.tidy(() => referenceForward(mixed, unflatten(mixed, weights), batch.images));
      expect(relativeError(await logits.data(), await expected.data())).toBeLessThan(1e-4);
      tf.dispose([weights, batch.images, batch.labels, logits, expected]);
    });

    it('has them through batch normalisation, with scales of either sign', async () => {
      expectSameGradient(normalised, await gradientOnBackend(images, normalised), normalisedReference);
      expect(normalisedReference.gradient).toHaveLength(parameterCount(normalised));
    });

    it('steps as the plain cpu backend does, whatever the gradient', async () => {
      const { adam = referenceAdam } = backendOperations();
      const got = await threeSteps(adam);
      expect(Object.keys(got)).toEqual(['weights', 'mean', 'variance']);
      for (const [vector, values] of Object.entries(got)) {
        expect(relativeError(values, stepped[vector]!), vector).toBeLessThan(2e-5); // 1 - 0.999 in float32 is 1.3e-5 off
      }
    });

    it('keeps no tensor that a step has made', async () => {
      const batch = takeBatch(mnist.train, Uint32Array.of(0, 1), 0, images === 'many' ? 2 : 1);
      let state = initialState(initialWeights(network, 1));
      const before = tf.memory().numTensors;
      for (let i = 0; i < (images === 'many' ? 5 : 2); i++) {
        const next = trainStep(network, state, batch, options);
        disposeState(state);
        next.loss.dispose();
        state = next.state;
      }
      expect(tf.memory().numTensors).toBe(before);
      disposeState(state);
      tf.dispose([batch.images, batch.labels]);
    });

    it('evaluates as tfjs does on the checkpoint it would publish', async () => {
      const count = images === 'many' ? 50 : 2;
      const flat = initialWeights(network, 3);
      const weights = tf.tensor1d(flat);
      const ours = await evaluate(network, weights, { ...mnist.test, count }, never);
      const batch = takeBatch(
        mnist.test,
        Uint32Array.from({ length: count }, (_, i) => i),
        0,
        count,
      );
      const model = await tf.loadLayersModel(inMemory(flat));
      const theirs = model.predict(batch.images) as tf.Tensor2D;
      expect([...ours.predictions]).toEqual([...(await theirs.argMax(1).data())]);
      const mine = tf.tidy(() => tf.softmax(forward(network, unflatten(network, weights), batch.images)));
      expect(relativeError(await mine.data(), await theirs.data())).toBeLessThan(1e-4);
      const confidences = Float32Array.from(
        { length: count },
        (_, i) => surest(ours.logits.subarray(10 * i, 10 * i + 10), 1).confidence,
      );
      expect(relativeError(confidences, await theirs.max(1).data())).toBeLessThan(1e-4);
      expect(model.countParams()).toBe(parameterCount(network));
    });

    if (images === 'many') describeRuns();
    if (images === 'many' && hasLoop) describeLoop();
  });
}

/** What takes hundreds of images. */
function describeRuns(): void {
  it('has the loss curve of the reference for 50 steps', async () => {
    const expected = lossCurve({});
    const got = lossCurve(backendOperations());
    expect(expected.at(-1)).toBeLessThan(0.8 * expected[0]!); // it learns
    // Noise of 3e-8 of the largest gradient, less than float32 resolves, moves the curve by 1.3e-2.
    expect(relativeError(got, expected)).toBeLessThan(1e-2);
  });

  describe('a training run', () => {
    it('learns, reports and evaluates', async () => {
      const run = await runTraining(smallPlan({ ...inSmall, epochs: 2 }));
      expect(run.outcome).toEqual({ status: 'succeeded' });
      expect(run.epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
      expect(run.epochs[1]!.testAccuracy).toBeGreaterThan(0.6);
      expect(run.epochs[1]!.trainLoss).toBeLessThan(run.epochs[0]!.trainLoss);
      expect(run.progress.at(-1)).toMatchObject({ epoch: 2, epochs: 2, step: 40, steps: 40, fraction: 1 });
    });

    it('gives the same weights, byte for byte, for the same plan', async () => {
      const plan = tinyPlan({ ...inSmall, epochs: 1 });
      const [first, second] = [await runTraining(plan), await runTraining(plan)];
      expect(Buffer.from(first.weights!.buffer).equals(Buffer.from(second.weights!.buffer))).toBe(true);
    });

    it.each([
      // Stops after the steps 1, 4 (the last of an epoch), in an evaluation, after the steps 5, 8 and 12.
      { augment: false, breaks: [1, 3, 1, 2, 3, 5] },
      { augment: true, breaks: [6] },
      // Stops in the pass for the moments, too.
      { augment: false, network: quickToLearn, learningRate: 0.01, breaks: [1, 5, 4, 2, 7, 5] },
    ])(
      'ends with the same bytes and metrics when it is stopped and taken up again (%j)',
      async ({ breaks, ...change }) => {
        const plan = tinyPlan({ ...inSmall, ...change });
        const whole = await runTraining(plan);
        expect(whole.epochs).toHaveLength(3);
        const resumed = await runWithBreaks(plan, breaks);
        expect(resumed.metrics).toEqual(whole.epochs.map(withoutTime));
        expect(Buffer.from(resumed.weights!.buffer).equals(Buffer.from(whole.weights!.buffer))).toBe(true);
      },
    );

    it('leaves no tensors behind', async () => {
      const before = tf.memory().numTensors;
      await runTraining(tinyPlan({ ...inSmall, epochs: 1 }));
      expect(tf.memory().numTensors).toBe(before);
    });
  });
}

/** What the training loop makes of its plan, the losses, the answers and the signals that it gets. */
function describeLoop(): void {
  describe('the training loop', () => {
    it('gives other weights for another seed, and when images are distorted, redrawn, or without outliers', async () => {
      const changes = [{}, { seed: 7 }, { augment: true }, { otherHands: 0.5 }, { outliers: 0 }];
      const texts = new Set<string>();
      for (const change of changes) {
        const { weights } = await runTraining(tinyPlan({ epochs: 1, ...change }));
        texts.add(Buffer.from(weights!.buffer).toString('base64'));
      }
      expect(texts.size).toBe(changes.length);
    });

    it('ends as collapsed when the network answers no better than one fixed digit', async () => {
      const run = await runTraining(tinyPlan({ learningRate: 1, epochs: 1 }));
      expect(run.outcome).toMatchObject({ status: 'failed', code: 'TRAINING_COLLAPSED' });
      expect(run.epochs).toEqual([]); // nothing to publish
    });

    it('ends at the first loss that is not finite', async () => {
      const run = await runTraining(tinyPlan({ learningRate: 1e30 }));
      expect(run.outcome).toMatchObject({ status: 'failed', code: 'LOSS_NOT_FINITE' });
      expect(run.epochs).toEqual([]);
    });

    it('stops between two steps when it is told to', async () => {
      const cancel = new AbortController();
      const run = await runTraining(smallPlan({ epochs: 50 }), cancel.signal, () => cancel.abort());
      expect(run.outcome).toEqual({ status: 'stopped' });
      expect(run.progress).toHaveLength(1);
    });

    it('stops at once in the pause after a step', async () => {
      const cancel = new AbortController();
      const pauses = { progressMs: 0, stepPauseMs: 3_600_000 };
      const abort = () => void setImmediate(() => cancel.abort());
      const run = await runTraining(smallPlan({ batchSize: 4 }), cancel.signal, abort, null, pauses);
      expect(run.outcome).toEqual({ status: 'stopped' });
      expect(run.position).toMatchObject({ step: 1 });
    });
  });
}

/** How far weights of 0 and their moments come by three gradients of very different sizes. */
async function threeSteps(adam: Adam): Promise<Record<string, Float32Array>> {
  const size = 1000;
  const gradient = (step: number) =>
    tf.tensor1d(Float32Array.from({ length: size }, (_, i) => Math.sin(i * step) * 10 ** -(i % 9)));
  const { weights, mean, variance } = tf.tidy(() => {
    let state = initialState(new Float32Array(size));
    for (const step of [1, 2, 3]) state = adam(state, gradient(step), 0.01);
    return state;
  });
  const read = async (tensor: tf.Tensor) => (await tensor.data<'float32'>()).slice();
  const values = { weights: await read(weights), mean: await read(mean), variance: await read(variance) };
  tf.dispose([weights, mean, variance]);
  return values;
}

/** The losses of 50 steps over the same batches of 8. */
function lossCurve(tuned: Operations): number[] {
  let state = initialState(initialWeights(network, 1));
  const order = Uint32Array.from({ length: 50 * 8 }, (_, index) => index);
  const losses = Array.from({ length: 50 }, (_, index) => {
    const outliers = { ...digitOutliers, count: 2, random: randomFor(index, 'outliers') };
    const batch = takeBatch(mnist.train, order, index * 8, 8, { outliers });
    const next = trainStep(network, state, batch, options, tuned);
    const loss = next.loss.dataSync()[0]!;
    disposeState(state);
    tf.dispose([batch.images, batch.labels, next.loss]);
    state = next.state;
    return loss;
  });
  disposeState(state);
  return losses;
}

/** The checkpoint's two files as tfjs would read them from a server. */
function inMemory(weights: Float32Array): tf.io.IOHandler {
  const files = encodeCheckpoint(network, weights);
  const model = JSON.parse(new TextDecoder().decode(files['model.json'])) as {
    modelTopology: object;
    weightsManifest: [{ weights: tf.io.WeightsManifestEntry[] }];
  };
  const weightData = files['weights.bin'].slice().buffer;
  return tf.io.fromMemory({
    modelTopology: model.modelTopology,
    weightSpecs: model.weightsManifest[0].weights,
    weightData,
  });
}
