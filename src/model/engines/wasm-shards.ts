/**
 * Trains on several cores with a backend that computes on one. A batch is cut into shards; each thread has its own wasm
 * backend and computes the gradient of its shard; their mean is the gradient of the batch. The values depend on the
 * number of shards, not on which thread computed them: if a thread is not ready or is lost, the main one takes its shard.
 * Batch normalisation needs the moments of the whole batch: networks with it train unsharded, on the main thread alone.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { startThread } from '../../lib/thread.ts';
import { imageSide, imageSize } from '../data/dataset.ts';
import { type Network, parameterCount } from '../network/network.ts';
import type { LossAndGradient, LossOptions } from '../network/operations.ts';
import { isNormalised } from '../network/specification.ts';
import { referenceLossAndGradient } from '../network/step.ts';
import * as tf from '../tfjs.ts';

/** The memory that a thread shares with the main thread. */
export type ShardMemory = {
  readonly control: Int32Array; // [2]: state, images in the shard
  readonly settings: Float32Array; // [3]: label smoothing and whether the loss rejects in, loss out
  readonly weights: Float32Array; // [P]
  readonly gradient: Float32Array; // [P]
  readonly images: Float32Array; // [capacity × 784]
  readonly labels: Int32Array; // [capacity]
};

/** The data that a thread is started with. */
export type ShardThreadStart = { readonly network: Network; readonly memory: ShardMemory };

/** Values of the state word. The main thread owns the memory in all states but `working`; 0 while the thread starts. */
export const idle = 1;
export const working = 2; // the thread owns the memory
export const done = 3;
export const failed = 4;

const maxLosses = 3; // lost threads in one place; after that it stays empty

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

/** Computes on `threads` threads: this one, and helpers that are started at the first batch. */
export function shardedLossAndGradient(threads: number, options: ShardOptions = usual): LossAndGradient {
  const places = Array.from({ length: threads - 1 }, (): Place => ({ helper: null, losses: 0 }));
  return (network, weights, batch, lossOptions) => {
    const shards = cut(batch.labels.size, network.layers.some(isNormalised) ? 1 : threads);
    if (shards.length === 1) return referenceLossAndGradient(network, weights, batch, lossOptions);
    const values = {
      weights: weights.dataSync<'float32'>(),
      images: batch.images.dataSync<'float32'>(),
      labels: batch.labels.dataSync<'int32'>(),
    };
    const [own, ...others] = shards as [Shard, ...Shard[]];
    const begun = others.map((shard, index) => {
      const helper = helperAt(places[index]!, network, shard.size, options);
      return helper?.begin(sliceOf(values, shard), lossOptions);
    });
    const here = (shard: Shard) => computeShard(network, sliceOf(values, shard), lossOptions);
    const results = [here(own), ...begun.map((finish, index) => finish?.() ?? here(others[index]!))];
    return combine(results, shards);
  };
}

/** Cuts a batch into nearly equal shards, none of them empty; the first is the largest. */
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

/** Computes one shard; helpers and the main thread run the same code. */
export function computeShard(network: Network, values: Values, options: LossOptions): Result {
  const { loss, gradient } = tf.tidy(() => {
    const images = tf.tensor4d(values.images, [values.labels.length, imageSide, imageSide, 1]);
    const batch = { images, labels: tf.tensor1d(values.labels, 'int32') };
    return referenceLossAndGradient(network, tf.tensor1d(values.weights), batch, options);
  });
  // Read outside of tidy, which would search every element of an array for tensors.
  const result = { loss: loss.dataSync()[0]!, gradient: gradient.dataSync<'float32'>() };
  tf.dispose([loss, gradient]);
  return result;
}

/** Returns the mean over all images, summed in the order of the shards. */
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
  /** Whether the thread has failed, died or taken too long. */
  isLost(): boolean;
  /** Returns null if the thread is not ready, else a function that waits for the result (null if the thread is lost). */
  begin(values: Values, options: LossOptions): (() => Result | null) | null;
  end(): void;
};

/** Returns the present helper if it fits network and shard, else a new one; null after too many losses. */
function helperAt(place: Place, network: Network, size: number, options: ShardOptions): Helper | null {
  const { helper } = place;
  const isLost = helper?.isLost() ?? false;
  const fits = helper && size <= helper.capacity && isDeepStrictEqual(helper.network, network);
  if (fits && !isLost) return helper;
  helper?.end();
  if (isLost) place.losses++;
  place.helper = place.losses < maxLosses ? startHelper(network, size, options) : null;
  return place.helper;
}

function startHelper(network: Network, capacity: number, { start, answerWithinMs }: ShardOptions): Helper {
  const memory = allocate(network, capacity);
  const { control, settings, gradient } = memory;
  let lost = false; // stays true, whatever a lost thread still writes
  const thread = start({ network, memory });
  thread.unref();
  thread.on('error', () => {
    lost = true;
  });
  const finish = (): Result | null => {
    const deadline = performance.now() + answerWithinMs;
    for (let left = answerWithinMs; left > 0 && Atomics.load(control, 0) === working; ) {
      Atomics.wait(control, 0, working, left); // also ends by the notice of an earlier result, which may come late
      left = deadline - performance.now();
    }
    lost = Atomics.load(control, 0) !== done;
    if (lost) return null;
    Atomics.store(control, 0, idle);
    return { loss: settings[2]!, gradient };
  };
  return {
    network,
    capacity,
    isLost: () => lost,
    begin: (values, lossOptions) => {
      if (Atomics.load(control, 0) !== idle) return null;
      hand(memory, values, lossOptions);
      return finish;
    },
    end: () => void thread.terminate(),
  };
}

function hand({ control, settings, ...memory }: ShardMemory, values: Values, options: LossOptions): void {
  memory.weights.set(values.weights);
  memory.images.set(values.images);
  memory.labels.set(values.labels);
  settings[0] = options.labelSmoothing;
  settings[1] = options.rejects ? 1 : 0;
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
    settings: floats(3),
    weights: floats(parameters),
    gradient: floats(parameters),
    images: floats(capacity * imageSize),
    labels: integers(capacity),
  };
}
