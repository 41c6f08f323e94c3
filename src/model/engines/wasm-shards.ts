/**
 * Training on several cores with a backend that computes on one: a batch is cut into shards, each thread has a
 * wasm backend of its own and computes the gradient of its shard, and their mean is the batch's gradient. The
 * values depend on how many shards there are, not on who computed them: a thread that is not ready yet, or no longer
 * there, is done without.
 */
import type { Worker } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs';
import { startThread } from '../../lib/thread.ts';
import { imageSide, imageSize } from '../data/dataset.ts';
import { type Network, parameterCount } from '../network/network.ts';
import type { LossAndGradient } from '../network/operations.ts';
import { referenceLossAndGradient } from '../network/step.ts';

/** What a thread shares with the main one. */
export type ShardMemory = {
  readonly control: Int32Array; // [2]: state, images in the shard
  readonly settings: Float32Array; // [2]: label smoothing in, loss out
  readonly weights: Float32Array; // [P]
  readonly gradient: Float32Array; // [P]
  readonly images: Float32Array; // [capacity × 784]
  readonly labels: Int32Array; // [capacity]
};

/** What a thread is started with. */
export type ShardThreadStart = { readonly network: Network; readonly memory: ShardMemory };

/** Values of the state word: who may touch the memory, and what it holds. 0 while the thread starts. */
export const idle = 1; // the main thread's, as from here on but for `working`
export const working = 2; // the thread's
export const done = 3;
export const failed = 4;

const maxLosses = 3; // of threads in one place; then it stays empty

export type ShardOptions = {
  readonly start: (start: ShardThreadStart) => Worker;
  readonly answerWithinMs: number;
};

const usual: ShardOptions = {
  start: (workerData) => startThread(import.meta.url, 'wasm-shard-thread', { workerData }),
  answerWithinMs: 30_000, // a shard of 2,000 images takes two seconds
};

type Shard = { readonly start: number; readonly size: number };
type Values = { readonly weights: Float32Array; readonly images: Float32Array; readonly labels: Int32Array };
type Result = { readonly loss: number; readonly gradient: Float32Array };

/** `threads` computes on: this one, and others that are started at the first batch. */
export function shardedLossAndGradient(threads: number, options: ShardOptions = usual): LossAndGradient {
  const places = Array.from({ length: threads - 1 }, (): Place => ({ helper: null, losses: 0 }));
  return (network, weights, batch, labelSmoothing) => {
    const shards = cut(batch.labels.size, threads);
    if (shards.length === 1) return referenceLossAndGradient(network, weights, batch, labelSmoothing);
    const values = {
      weights: weights.dataSync<'float32'>(),
      images: batch.images.dataSync<'float32'>(),
      labels: batch.labels.dataSync<'int32'>(),
    };
    const [own, ...others] = shards as [Shard, ...Shard[]];
    const begun = others.map((shard, index) => {
      const helper = helperAt(places[index]!, network, shard.size, options);
      return helper?.begin(sliceOf(values, shard), labelSmoothing);
    });
    const here = (shard: Shard) => computeShard(network, sliceOf(values, shard), labelSmoothing);
    const results = [here(own), ...begun.map((finish, index) => finish?.() ?? here(others[index]!))];
    return combine(results, shards);
  };
}

/** Nearly equal parts, none of them empty; the first is the largest. */
export function cut(count: number, parts: number): Shard[] {
  const shards: Shard[] = [];
  for (let start = 0, left = Math.min(parts, count); left > 0; left--) {
    const size = Math.ceil((count - start) / left);
    shards.push({ start, size });
    start += size;
  }
  return shards;
}

function sliceOf({ weights, images, labels }: Values, { start, size }: Shard): Values {
  return {
    weights,
    images: images.subarray(start * imageSize, (start + size) * imageSize),
    labels: labels.subarray(start, start + size),
  };
}

/** The same on every thread. */
export function computeShard(network: Network, values: Values, labelSmoothing: number): Result {
  const { loss, gradient } = tf.tidy(() => {
    const images = tf.tensor4d(values.images, [values.labels.length, imageSide, imageSide, 1]);
    const batch = { images, labels: tf.tensor1d(values.labels, 'int32') };
    return referenceLossAndGradient(network, tf.tensor1d(values.weights), batch, labelSmoothing);
  });
  // Read out here, since tidy would look for tensors in every element of an array.
  const result = { loss: loss.dataSync()[0]!, gradient: gradient.dataSync<'float32'>() };
  tf.dispose([loss, gradient]);
  return result;
}

/** The mean over all images, in the order of the shards. */
function combine(results: readonly Result[], shards: readonly Shard[]): ReturnType<LossAndGradient> {
  const count = shards.reduce((sum, { size }) => sum + size, 0);
  const gradient = new Float32Array(results[0]!.gradient.length);
  let loss = 0;
  for (const [index, result] of results.entries()) {
    const share = shards[index]!.size / count;
    loss += share * result.loss;
    for (let i = 0; i < gradient.length; i++) gradient[i]! += share * result.gradient[i]!;
  }
  return { loss: tf.scalar(loss), gradient: tf.tensor1d(gradient) };
}

type Place = { helper: Helper | null; losses: number };

type Helper = {
  readonly network: Network;
  readonly capacity: number; // images
  /** Its thread has failed, died or taken too long. */
  isLost(): boolean;
  /** Returns a function that waits for the result, or null when the thread is not ready; that one gives null when it is lost. */
  begin(values: Values, labelSmoothing: number): (() => Result | null) | null;
  end(): void;
};

/** The helper that is there, if the network is its own and the shard has room; else a new one; null after too many losses. */
function helperAt(place: Place, network: Network, size: number, options: ShardOptions): Helper | null {
  const { helper } = place;
  const isLost = helper?.isLost() ?? false;
  if (helper && !isLost && helper.network === network && size <= helper.capacity) return helper;
  helper?.end();
  if (isLost) place.losses++;
  place.helper = place.losses < maxLosses ? startHelper(network, size, options) : null;
  return place.helper;
}

function startHelper(network: Network, capacity: number, { start, answerWithinMs }: ShardOptions): Helper {
  const memory = allocate(network, capacity);
  const { control, settings, gradient } = memory;
  let lost = false; // for good, whatever a thread that was given up still writes
  const thread = start({ network, memory });
  thread.unref();
  thread.on('error', () => {
    lost = true; // it is done without
  });
  const finish = (): Result | null => {
    Atomics.wait(control, 0, working, answerWithinMs);
    lost = Atomics.load(control, 0) !== done;
    if (lost) return null;
    Atomics.store(control, 0, idle);
    return { loss: settings[1]!, gradient };
  };
  return {
    network,
    capacity,
    isLost: () => lost,
    begin: (values, labelSmoothing) => {
      if (Atomics.load(control, 0) !== idle) return null;
      hand(memory, values, labelSmoothing);
      return finish;
    },
    end: () => void thread.terminate(),
  };
}

function hand({ control, settings, ...memory }: ShardMemory, values: Values, labelSmoothing: number): void {
  memory.weights.set(values.weights);
  memory.images.set(values.images);
  memory.labels.set(values.labels);
  settings[0] = labelSmoothing;
  control[1] = values.labels.length;
  Atomics.store(control, 0, working);
  Atomics.notify(control, 0);
}

const floats = (length: number) => new Float32Array(new SharedArrayBuffer(4 * length));
const integers = (length: number) => new Int32Array(new SharedArrayBuffer(4 * length));

function allocate(network: Network, capacity: number): ShardMemory {
  const parameters = parameterCount(network);
  return {
    control: integers(2),
    settings: floats(2),
    weights: floats(parameters),
    gradient: floats(parameters),
    images: floats(capacity * imageSize),
    labels: integers(capacity),
  };
}
