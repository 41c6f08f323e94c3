/**
 * The predictor: decodes images, infers in batches that form while the engine is busy, and swaps in
 * each newly published model. It ends when its parent does.
 */
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { toImageTensor } from '../data/batch.ts';
import { classCount, imageSize } from '../data/dataset.ts';
import { liveTensors, openEngine } from '../engines/open-engine.ts';
import { forward, unflatten } from '../network/forward.ts';
import type { Network } from '../network/network.ts';
import type { Manifest } from '../store/manifest.ts';
import { openStore, type StoredModel } from '../store/store.ts';
import { indexOfMaximum } from '../training/evaluate.ts';
import { createBatches } from './batches.ts';
import { followStore } from './follow-store.ts';
import { createIntake, type Decoded } from './intake.ts';
import type {
  Prediction,
  PredictorMessage,
  PredictorRequest,
  PredictorStart,
  ServedModel,
} from './messages.ts';
import { createOutbox } from './outbox.ts';
import { createReader } from './reader.ts';

type LiveModel = {
  readonly served: ServedModel;
  readonly network: Network;
  readonly parameters: tf.Tensor[];
};

const maxBatch = 8; // images; a larger one takes 5 % less for each, while its clients and the API stand idle
const maxDecoding = 8; // images, which decode to 16 MB each at most
const lookForModelMs = 200;
const aliveMs = 500;
const warmUpSizes = [1, 2, 4, 8];

const tell = createOutbox<PredictorMessage>((messages) => process.send!(messages));
let inferences = 0; // images since the start
let live: LiveModel | null = null;
const intake = createIntake(maxDecoding, {
  decode: createReader(),
  onDecoded: () => lookForBatch(),
  onRefused: (id, problem) => {
    tell({ type: 'answer', id, outcome: problem });
    lookForBatch(); // what waited for it waits no longer
  },
  onDropped: (id) => {
    tell({ type: 'dropped', id });
    lookForBatch();
  },
});
const lookForBatch = createBatches(maxBatch, { counts: () => intake.counts(), inferNext });

process.on('disconnect', () => process.exit(0));
if (!process.connected) process.exit(0); // the parent ended while this process was loading
process.on('SIGTERM', () => process.exit(0));
process.on('SIGHUP', () => {}); // its parent decides when it ends
process.once('message', (start: PredictorStart) => void serve(start));

async function serve({ dataDir, engine: preference, keepModels }: PredictorStart): Promise<void> {
  // Not on webgpu, which reads nothing back synchronously: a CPU has eight images done before a GPU is asked.
  const engine = await openEngine(preference === 'webgpu' ? 'auto' : preference);
  tell({ type: 'ready', engine });
  setInterval(sayAlive, aliveMs);
  process.on('message', take);
  const store = openStore(dataDir);
  const look = followStore({ store, keepModels: keepModels ?? Number.POSITIVE_INFINITY, swapIn, tell });
  for (;;) {
    await look();
    await delay(lookForModelMs);
  }
}

/** Warms up a model beside the one that answers, then puts it in its place. */
async function swapIn(stored: StoredModel, loadedIn: number): Promise<void> {
  const startedAt = performance.now();
  const next = prepare(stored);
  try {
    for (const size of warmUpSizes) {
      infer(next, new Uint8Array(size * imageSize));
      await nextTurn(); // requests go on between
    }
  } catch (error) {
    tf.dispose(next.parameters);
    throw error;
  }
  const old = live;
  live = next;
  tf.dispose(old?.parameters ?? []);
  const seconds = loadedIn + (performance.now() - startedAt) / 1000;
  tell({ type: 'model', model: next.served, tensors: liveTensors(), seconds });
}

function prepare({ manifest, weights }: StoredModel): LiveModel {
  const parameters = tf.tidy(() => unflatten(manifest.network, tf.tensor1d(weights)));
  return { served: servedModel(manifest), network: manifest.network, parameters };
}

function servedModel({ version, jobId, epoch, metrics }: Manifest): ServedModel {
  return { version, jobId, epoch, testAccuracy: metrics.testAccuracy };
}

/** The parent takes silence for a hang. */
function sayAlive(): void {
  tell({ type: 'alive', work: { decodings: intake.decodings(), inferences } });
}

function take(requests: PredictorRequest[]): void {
  for (const request of requests) {
    if (request.type === 'image') intake.take(request.id, request.image, request.withPixels);
    else intake.drop(request.id);
  }
}

function inferNext(): void {
  const batch = intake.batch(maxBatch);
  if (batch.length > 0) answerBatch(batch, live!); // images come only once there is a model
}

function answerBatch(batch: Decoded[], model: LiveModel): void {
  const startedAt = performance.now();
  const pixels = new Uint8Array(batch.length * imageSize);
  for (const [i, { pixels: digit }] of batch.entries()) pixels.set(digit, i * imageSize);
  const probabilities = infer(model, pixels); // [N × 10]
  const inferMs = performance.now() - startedAt;
  inferences += batch.length;
  for (const [i, { id, decodeMs, takenAt, withPixels, pixels: seen }] of batch.entries()) {
    const timings = { decodeMs, queueMs: startedAt - takenAt - decodeMs, inferMs };
    const row = probabilities.subarray(i * classCount, (i + 1) * classCount);
    const outcome = prediction(row, model.served, timings);
    tell({ type: 'answer', id, outcome: withPixels ? { ...outcome, pixels: seen } : outcome });
  }
  tell({ type: 'batch', images: batch.length });
}

/** pixels [N × 784] → probabilities [N × 10]. */
function infer({ network, parameters }: LiveModel, pixels: Uint8Array): Float32Array {
  const result = tf.tidy(() => tf.softmax(forward(network, parameters, toImageTensor(pixels))));
  const values = result.dataSync<'float32'>();
  result.dispose();
  return values;
}

function prediction(row: Float32Array, model: ServedModel, timings: Prediction['timings']): Prediction {
  const digit = indexOfMaximum(row, 0, classCount);
  return { ok: true, digit, confidence: row[digit]!, probabilities: [...row], model, timings };
}
