/** A thread with a wasm backend of its own, which computes the gradients of shards. See wasm-shards.ts. */
import { workerData } from 'node:worker_threads';
import { imageSize } from '../data/dataset.ts';
import { openEngine } from './open-engine.ts';
import { computeShard, done, failed, idle, type ShardThreadStart, working } from './wasm-shards.ts';

const { network, memory } = workerData as ShardThreadStart;
const { control, settings, weights, gradient, images, labels } = memory;

await openEngine('wasm');
Atomics.store(control, 0, idle);
for (;;) {
  const state = Atomics.load(control, 0);
  if (state === working) Atomics.store(control, 0, compute());
  else Atomics.wait(control, 0, state); // ends with the process
  Atomics.notify(control, 0);
}

function compute(): typeof done | typeof failed {
  try {
    const size = control[1]!;
    const values = {
      weights,
      images: images.subarray(0, size * imageSize),
      labels: labels.subarray(0, size),
    };
    const result = computeShard(network, values, {
      labelSmoothing: settings[0]!,
      rejects: settings[1] === 1,
    });
    gradient.set(result.gradient);
    settings[2] = result.loss;
    return done;
  } catch {
    return failed; // the main thread then computes the shard itself, and throws if the shard is the cause
  }
}
