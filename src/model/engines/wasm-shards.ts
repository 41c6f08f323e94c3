/**
 * Training on several cores with a backend that computes on one: a batch is cut into shards, each thread has a
 * wasm backend of its own and computes the gradient of its shard, and their mean is the batch's gradient. The
 * values depend on how many shards there are, not on who computed them: a thread that is not ready yet, or no longer
 * there, is done without.
 */
import type { Worker } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs';
import { imageSide, imageSize } from '../dataset.ts';
import { type Network, parameterCount } from '../network.ts';
import { type LossAndGradient, referenceLossAndGradient } from '../step.ts';
import { startThread } from '../thread.ts';

/** What a thread is started with. */
export type ShardThreadStart = {
  readonly network: Network;
  readonly memory: SharedArrayBuffer;
  readonly capacity: number; // images
};

/** Values of the state word: who may touch the memory, and what it holds. */
export const starting = 0;
export const idle = 1; // the main thread's, as from here on but for `working`
export const working = 2; // the thread's
export const done = 3;
export const failed = 4;

const answerWithinMs = 30_000; // a shard of 2,000 images takes two seconds

type Shard = { readonly start: number; readonly size: number };
type Values = { readonly weights: Float32Array; readonly images: Float32Array; readonly labels: Int32Array };
type Result = { readonly loss: number; readonly gradient: Float32Array };

/** `threads` computes on: this one, and others that are started at the first batch. */
export function shardedLossAndGradient(threads: number): LossAndGradient {
  const helpers: (Helper | null)[] = Array.from({ length: threads - 1 }, () => null);
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
      const helper = fitting(helpers[index]!, network, shard.size);
      helpers[index] = helper;
      return helper.begin(sliceOf(values, shard), labelSmoothing);
    });
    const here = (shard: Shard) => computeShard(network, sliceOf(values, shard), labelSmoothing);
    const results = [here(own), ...begun.map((finish, index) => finish() ?? here(others[index]!))];
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
  return tf.tidy(() => {
    const images = tf.tensor4d(values.images, [values.labels.length, imageSide, imageSide, 1]);
    const batch = { images, labels: tf.tensor1d(values.labels, 'int32') };
    const { loss, gradient } = referenceLossAndGradient(
      network,
      tf.tensor1d(values.weights),
      batch,
      labelSmoothing,
    );
    return { loss: loss.dataSync()[0]!, gradient: gradient.dataSync<'float32'>() };
  });
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

type Helper = {
  readonly network: Network;
  readonly capacity: number;
  /** Returns a function that waits for the result; it gives null when there is none to be had. */
  begin(values: Values, labelSmoothing: number): () => Result | null;
  end(): void;
};

/** The same helper if the network is its own and the shard has room in its memory; else a new one. */
function fitting(helper: Helper | null, network: Network, size: number): Helper {
  if (helper && helper.network === network && size <= helper.capacity) return helper;
  helper?.end();
  return startHelper(network, size);
}

function startHelper(network: Network, capacity: number): Helper {
  const memory = new SharedArrayBuffer(bytesFor(network, capacity));
  const { control, settings, ...arrays } = viewsOf(memory, network, capacity);
  const workerData: ShardThreadStart = { network, memory, capacity };
  const thread: Worker = startThread(import.meta.url, 'wasm-shard-thread', { workerData });
  thread.unref();
  thread.on('error', () => Atomics.store(control, 0, failed)); // it is done without
  const finish = (): Result | null => {
    Atomics.wait(control, 0, working, answerWithinMs);
    if (Atomics.load(control, 0) !== done) return giveUp();
    Atomics.store(control, 0, idle);
    return { loss: settings[1]!, gradient: arrays.gradient };
  };
  const giveUp = () => {
    Atomics.store(control, 0, failed);
    void thread.terminate();
    return null;
  };
  return {
    network,
    capacity,
    begin: (values, labelSmoothing) => {
      if (Atomics.load(control, 0) !== idle) return () => null;
      arrays.weights.set(values.weights);
      arrays.images.set(values.images);
      arrays.labels.set(values.labels);
      control[1] = values.labels.length;
      settings[0] = labelSmoothing;
      Atomics.store(control, 0, working);
      Atomics.notify(control, 0);
      return finish;
    },
    end: () => void thread.terminate(),
  };
}

function bytesFor(network: Network, capacity: number): number {
  return 4 * (4 + 2 * parameterCount(network) + capacity * (imageSize + 1));
}

/** The memory that a thread shares with the main one. */
export function viewsOf(memory: SharedArrayBuffer, network: Network, capacity: number) {
  const parameters = parameterCount(network);
  let offset = 0; // bytes
  const next = <View>(
    Type: new (buffer: SharedArrayBuffer, offset: number, length: number) => View,
    length: number,
  ) => {
    const view = new Type(memory, offset, length);
    offset += 4 * length;
    return view;
  };
  return {
    control: next(Int32Array, 2), // state, images in the shard
    settings: next(Float32Array, 2), // label smoothing in, loss out
    weights: next(Float32Array, parameters),
    gradient: next(Float32Array, parameters),
    images: next(Float32Array, capacity * imageSize),
    labels: next(Int32Array, capacity),
  };
}
