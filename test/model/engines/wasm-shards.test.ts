import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { takeBatch } from '../../../src/model/data/batch.ts';
import { openEngine } from '../../../src/model/engines/open-engine.ts';
import { cut, shardedLossAndGradient } from '../../../src/model/engines/wasm-shards.ts';
import { buildNetwork, initialWeights } from '../../../src/model/network/network.ts';
import type { LossAndGradient } from '../../../src/model/network/operations.ts';
import { referenceLossAndGradient } from '../../../src/model/network/step.ts';
import { until } from '../../jobs/until.ts';
import { mnist } from '../data/mnist.ts';
import { network } from './gradients.ts';

beforeAll(() => openEngine('wasm'));

/** Computes the gradient of the first images. A backend of one thread tells which kernels ran here. */
async function compute(way: LossAndGradient, count: number, of = network) {
  const batch = takeBatch(
    mnist.train,
    Uint32Array.from({ length: count }, (_, i) => i),
    0,
    count,
  );
  const weights = tf.tensor1d(initialWeights(of, 5));
  const values = { loss: Number.NaN, gradient: new Float32Array() };
  const { kernels } = await tf.profile(() => {
    const { loss, gradient } = way(of, weights, batch, { labelSmoothing: 0.1, rejects: true });
    values.loss = loss.dataSync()[0]!;
    values.gradient = gradient.dataSync<'float32'>().slice();
    tf.dispose([loss, gradient]);
    return weights;
  });
  tf.dispose([batch.images, batch.labels, weights]);
  const poolings = kernels.filter(({ name }) => name === 'MaxPool').length; // two a shard
  return { ...values, shardsHere: poolings / 2 };
}

describe('cut', () => {
  it('gives nearly equal parts that cover everything, in order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 8 }), (count, parts) => {
        const shards = cut(count, parts);
        expect(shards).toHaveLength(Math.min(count, parts));
        let next = 0;
        for (const { start, size } of shards) {
          expect(start).toBe(next);
          next += size;
        }
        expect(next).toBe(count);
        const sizes = shards.map(({ size }) => size);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(sizes[0]).toBe(Math.max(...sizes));
      }),
    );
  });
});

/** How a script says that it is idle and ready. */
const isThere = `const { workerData, parentPort } = require('node:worker_threads');
      const { control } = workerData.memory;
      Atomics.store(control, 0, 1); // idle
      parentPort.postMessage('there');`;

/** On two threads, the other of which runs this script and says when it is there; it is given 50 ms for a shard, or so long. */
function shardedWith(script: string, answerWithinMs = 50) {
  const started: Worker[] = [];
  const ready: Promise<unknown>[] = [];
  const sharded = shardedLossAndGradient(2, {
    answerWithinMs,
    start: (workerData) => {
      const thread = new Worker(script, { eval: true, workerData });
      started.push(thread);
      ready.push(once(thread, 'message'));
      return thread;
    },
  });
  return { sharded, started, ready };
}

describe('the gradient from shards', () => {
  it.each([
    [1, 2],
    [2, 4],
    [5, 2],
    [7, 3],
  ])('of %i images on %i threads is that of the whole batch', async (count, threads) => {
    const whole = await compute(referenceLossAndGradient, count);
    const sharded = await compute(shardedLossAndGradient(threads), count);
    expect(sharded.loss).toBeCloseTo(whole.loss, 5);
    const scale = Math.max(...whole.gradient.map(Math.abs));
    const errors = sharded.gradient.map((value, i) => Math.abs(value - whole.gradient[i]!) / scale);
    expect(Math.max(...errors)).toBeLessThan(1e-5);
  });

  it('is not made with batch normalisation, which needs the moments of the whole batch', async () => {
    const layers = [{ kind: 'convolution', filters: 2, kernelSize: 3, pool: 2, batchNorm: true }] as const;
    const normalised = buildNetwork({ layers: [...layers] }, 10);
    const start = () => {
      throw new Error('expected no thread to be started');
    };
    const sharded = shardedLossAndGradient(2, { start, answerWithinMs: 50 });
    const whole = await compute(referenceLossAndGradient, 5, normalised);
    expect(await compute(sharded, 5, normalised)).toEqual(whole);
  });

  it('is the same to the byte before and after the threads are there', async () => {
    const sharded = shardedLossAndGradient(2);
    const first = await compute(sharded, 5);
    expect(first.shardsHere).toBe(2);
    const isShared = ({ shardsHere }: typeof first) => shardsHere === 1;
    const later = await until('a thread to be there', () => compute(sharded, 5), isShared);
    expect([later.loss, later.gradient]).toEqual([first.loss, first.gradient]);
    const smaller = await compute(sharded, 3); // in the memory of a larger one
    expect(smaller.shardsHere).toBe(1);
    expect(smaller.loss).toBeCloseTo((await compute(referenceLossAndGradient, 3)).loss, 5);
  });

  it('goes to another thread for another network, and to the same one for an equal network', async () => {
    const { sharded, started } = shardedWith('setInterval(() => {}, 1000)');
    const layers = () => [{ kind: 'convolution' as const, filters: 2, kernelSize: 3, pool: 2 }];
    const [one, same] = [0, 1].map(() => buildNetwork({ layers: layers() }, 10));
    for (const each of [one!, same!, network, one!]) await compute(sharded, 5, each);
    expect(started).toHaveLength(3);
    await Promise.all(started.map((thread) => thread.terminate()));
  });

  it('does without a thread that fails, and starts no more than three in its place', async () => {
    const gone: Promise<unknown>[] = [];
    const sharded = shardedLossAndGradient(2, {
      answerWithinMs: 1000,
      start: () => {
        const thread = new Worker('throw new Error("for the test")', { eval: true });
        gone.push(new Promise((resolve) => thread.once('exit', resolve)));
        return thread;
      },
    });
    const whole = await compute(referenceLossAndGradient, 5);
    for (let step = 0; step < 6; step++) {
      const { loss, shardsHere } = await compute(sharded, 5);
      expect(shardsHere).toBe(2);
      expect(loss).toBeCloseTo(whole.loss, 5);
      await gone[step];
    }
    expect(gone).toHaveLength(3);
  });

  it('computes the shard itself when a thread takes too long, and ends that thread', async () => {
    const silent = `${isThere}
      setInterval(() => {}, 1000);`;
    const { sharded, started, ready } = shardedWith(silent);
    const first = await compute(sharded, 5);
    await ready[0];
    const second = await compute(sharded, 5); // waits for it in vain
    expect([second.loss, second.gradient]).toEqual([first.loss, first.gradient]);
    expect(started).toHaveLength(1);
    const ended = new Promise((resolve) => started[0]!.once('exit', resolve));
    await compute(sharded, 5);
    await ended;
    expect(started).toHaveLength(2);
    await started[1]!.terminate();
  });

  it('goes on waiting where the notice of an earlier result comes late', async () => {
    const notices = `${isThere}
      Atomics.wait(control, 0, 1);
      for (let i = 0; i < 10; i++) {
        Atomics.wait(control, 0, 2, 5); // working
        Atomics.notify(control, 0);
      }
      Atomics.store(control, 0, 3); // done
      Atomics.notify(control, 0);`;
    const { sharded, started, ready } = shardedWith(notices, 30_000);
    await compute(sharded, 5);
    await ready[0];
    expect((await compute(sharded, 5)).shardsHere).toBe(1);
    expect(started).toHaveLength(1);
  });

  it('replaces a thread that answers too late, too', async () => {
    const late = `${isThere}
      Atomics.wait(control, 0, 1);
      Atomics.wait(control, 0, 2, 1000); // working, until it is given up
      Atomics.store(control, 0, 3); // done, too late
      parentPort.postMessage('late');`;
    const { sharded, started, ready } = shardedWith(late);
    await compute(sharded, 5);
    await ready[0];
    const answered = new Promise((resolve) => started[0]!.once('exit', resolve));
    await compute(sharded, 5); // given up after 50 ms
    await answered;
    await compute(sharded, 5);
    expect(started).toHaveLength(2);
    await started[1]!.terminate();
  });

  it('keeps no tensor', async () => {
    const before = tf.memory().numTensors;
    await compute(shardedLossAndGradient(3), 4);
    expect(tf.memory().numTensors).toBe(before);
  });
});
