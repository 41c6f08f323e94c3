/**
 * The predictor: decodes images, infers in batches that form while the engine is busy, and swaps in
 * each newly published model. It ends when its parent does.
 */
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { toImageTensor } from './batch.ts';
import { classCount, imageSize } from './dataset.ts';
import { openEngine } from './engine.ts';
import { indexOfMaximum } from './evaluate.ts';
import { followStore } from './follow-store.ts';
import { readDigit } from './image.ts';
import type { Manifest } from './manifest.ts';
import { forward, type Network, unflatten } from './network.ts';
import type {
  Prediction,
  PredictorMessage,
  PredictorRequest,
  PredictorStart,
  ServedModel,
} from './predictor.ts';
import { openStore, type StoredModel } from './store.ts';

type LiveModel = {
  readonly served: ServedModel;
  readonly network: Network;
  readonly parameters: tf.Tensor[];
};
type Waiting = {
  readonly id: number;
  readonly pixels: Uint8Array; // [784]
  readonly decodeMs: number;
  readonly decodedAt: number;
};

const maxBatch = 64; // images
const lookForModelMs = 200;
const warmUpSizes = [1, 2, 4, 8, 16, 32, 64];

const waiting: Waiting[] = [];
let inferring = false;
let live: LiveModel | null = null;

process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
process.once('message', (start: PredictorStart) => void serve(start));

async function serve({ dataDir, engine: preference, keepModels }: PredictorStart): Promise<void> {
  let fallback: string | null = null;
  const engine = await openEngine(preference, (reason) => {
    fallback = reason;
  });
  tell({ type: 'ready', device: engine.device, fallback });
  process.on('message', (request: PredictorRequest) => void take(request));
  const store = openStore(dataDir);
  const look = followStore({ store, keepModels: keepModels ?? Number.POSITIVE_INFINITY, swapIn, tell });
  for (;;) {
    await look();
    await delay(lookForModelMs);
  }
}

/** Warms up a model beside the one that answers, then puts it in its place. */
async function swapIn(stored: StoredModel): Promise<void> {
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
  tell({ type: 'model', model: next.served });
  tf.dispose(old?.parameters ?? []);
}

function prepare({ manifest, weights }: StoredModel): LiveModel {
  const parameters = tf.tidy(() => unflatten(manifest.network, tf.tensor1d(weights)));
  return { served: servedModel(manifest), network: manifest.network, parameters };
}

function servedModel({ version, jobId, epoch, metrics }: Manifest): ServedModel {
  return { version, jobId, epoch, testAccuracy: metrics.testAccuracy };
}

async function take({ id, image }: PredictorRequest): Promise<void> {
  const startedAt = performance.now();
  const digit = await readDigit(image);
  if (!digit.ok) return tell({ type: 'answer', id, outcome: digit });
  const decodedAt = performance.now();
  waiting.push({ id, pixels: digit.pixels, decodeMs: decodedAt - startedAt, decodedAt });
  if (!inferring) await inferAll();
}

/** Infers until nothing waits: what is decoded during one batch makes up the next. */
async function inferAll(): Promise<void> {
  inferring = true;
  while (waiting.length > 0) {
    answerBatch(waiting.splice(0, maxBatch), live!); // requests come only once there is a model
    await nextTurn();
  }
  inferring = false;
}

function answerBatch(batch: Waiting[], model: LiveModel): void {
  const startedAt = performance.now();
  const pixels = new Uint8Array(batch.length * imageSize);
  for (const [i, { pixels: digit }] of batch.entries()) pixels.set(digit, i * imageSize);
  const probabilities = infer(model, pixels); // [N × 10]
  const inferMs = performance.now() - startedAt;
  for (const [i, { id, decodeMs, decodedAt }] of batch.entries()) {
    const timings = { decodeMs, queueMs: startedAt - decodedAt, inferMs };
    const row = probabilities.subarray(i * classCount, (i + 1) * classCount);
    tell({ type: 'answer', id, outcome: prediction(row, model.served, timings) });
  }
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

function tell(message: PredictorMessage): void {
  process.send!(message);
}
