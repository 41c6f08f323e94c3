/**
 * The predictor process: decodes images, infers in batches that form while the engine is busy, and swaps in each newly
 * published model. It ends when its parent does.
 */
import { setTimeout as delay } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { coalesceMessages } from '../../lib/coalesce-messages.ts';
import { classCount, imageSize } from '../data/dataset.ts';
import { liveTensors, openEngine } from '../engines/open-engine.ts';
import { openStore, type StoredModel } from '../store/store.ts';
import { indexOfMaximum } from '../training/evaluate.ts';
import { startDecodePool } from './decode-pool.ts';
import { infer, type LoadedModel, loadModel } from './loaded-model.ts';
import type {
  Prediction,
  PredictorMessage,
  PredictorRequest,
  PredictorStart,
  ServedModel,
} from './messages.ts';
import { type DecodedImage, MicroBatches } from './micro-batches.ts';
import { serveNewestVersion } from './serve-newest-version.ts';

const maxBatch = 8; // images; a larger batch takes 5 % less for each, while its clients and the API stand idle
const maxDecoding = 8; // images, which decode to 16 MB each at most
const checkStoreMs = 200;
const aliveMs = 500;

const send = coalesceMessages<PredictorMessage>((messages) => process.send!(messages));
const batches = new MicroBatches({
  maxDecoding,
  maxBatch,
  decode: startDecodePool(),
  infer: answer,
  onRefused: (id, outcome) => send({ type: 'answer', id, outcome }),
  onDropped: (id) => send({ type: 'dropped', id }),
});
let model: LoadedModel | null = null; // the one that answers
let inferences = 0; // images since the start

process.on('disconnect', () => process.exit(0));
if (!process.connected) process.exit(0); // the parent ended while this process was loading
process.on('SIGTERM', () => process.exit(0));
process.on('SIGHUP', () => {}); // its parent decides when it ends
process.once('message', (start: PredictorStart) => void serve(start));

async function serve({ dataDir, engine: preference, keepModels }: PredictorStart): Promise<void> {
  // Not on webgpu, which reads nothing back synchronously: a CPU has eight images done before a GPU is asked.
  const engine = await openEngine(preference === 'webgpu' ? 'auto' : preference);
  send({ type: 'ready', engine });
  setInterval(reportAlive, aliveMs);
  process.on('message', receive);
  const store = openStore(dataDir);
  const checkStore = serveNewestVersion({
    store,
    keepModels: keepModels ?? Number.POSITIVE_INFINITY,
    swapIn,
    report: send,
  });
  for (;;) {
    await checkStore();
    await delay(checkStoreMs);
  }
}

/** Loads a model beside the one that answers, then puts it in its place. */
async function swapIn(stored: StoredModel, readSeconds: number): Promise<void> {
  const startedAt = performance.now();
  const next = await loadModel(stored);
  tf.dispose(model?.parameters ?? []);
  model = next;
  const seconds = readSeconds + (performance.now() - startedAt) / 1000;
  send({ type: 'model', model: next.served, tensors: liveTensors(), seconds });
}

/** The parent takes silence for a hang. */
function reportAlive(): void {
  send({ type: 'alive', work: { decodings: batches.decodings, inferences } });
}

function receive(requests: PredictorRequest[]): void {
  for (const request of requests) {
    if (request.type === 'image') batches.add(request.id, request.image, request.withPixels);
    else batches.drop(request.id);
  }
}

function answer(batch: DecodedImage[]): void {
  const { served } = model!; // images come only once there is a model
  const startedAt = performance.now();
  const pixels = new Uint8Array(batch.length * imageSize);
  for (const [i, image] of batch.entries()) pixels.set(image.pixels, i * imageSize);
  const probabilities = infer(model!, pixels); // [N × 10]
  const inferMs = performance.now() - startedAt;
  inferences += batch.length;
  for (const [i, image] of batch.entries()) {
    const { id, decodeMs, arrivedAt, withPixels } = image;
    const timings = { decodeMs, queueMs: startedAt - arrivedAt - decodeMs, inferMs };
    const row = probabilities.subarray(i * classCount, (i + 1) * classCount);
    const outcome = predictionOf(row, served, timings);
    send({ type: 'answer', id, outcome: withPixels ? { ...outcome, pixels: image.pixels } : outcome });
  }
  send({ type: 'batch', images: batch.length });
}

function predictionOf(row: Float32Array, served: ServedModel, timings: Prediction['timings']): Prediction {
  const digit = indexOfMaximum(row, 0, classCount);
  return { ok: true, digit, confidence: row[digit]!, probabilities: [...row], model: served, timings };
}
