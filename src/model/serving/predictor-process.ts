/**
 * The predictor process: decodes images and infers in batches that form while the engine is busy, with the versions that
 * the registry says. It ends when its parent does.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { coalesceMessages } from '../../lib/coalesce-messages.ts';
import { imageSize } from '../data/dataset.ts';
import { liveTensors, openEngine } from '../engines/open-engine.ts';
import type { ReadDigit } from '../image/read-digit.ts';
import type { ReadLine } from '../image/read-line.ts';
import { openRegistry } from '../registry/registry.ts';
import { openStore, type StoredModel } from '../store/store.ts';
import * as tf from '../tfjs.ts';
import { rowOf } from '../training/softmax.ts';
import { answerFrom } from './answer.ts';
import { answerLine, type LineAnswer } from './answer-line.ts';
import { answerTensor, type TensorAnswer } from './answer-tensor.ts';
import { type DecodePicture, startDecodePool } from './decode-pool.ts';
import { RegistryFollower, type Serving } from './follow-registry.ts';
import { infer, type LoadedModel, loadModel } from './loaded-model.ts';
import type {
  ImageOrder,
  ImageTensor,
  PredictFailure,
  Prediction,
  PredictorMessage,
  PredictorRequest,
  PredictorStart,
  ServedModel,
  TensorOrder,
} from './messages.ts';
import { type DecodedImage, MicroBatches, type WaitingTensor } from './micro-batches.ts';

const maxBatch = 8; // images; a larger batch takes 5 % less for each, while its clients and the API stand idle
const maxDecoding = 8; // images, which decode to 16 MB each at most
const checkRegistryMs = 200;
const aliveMs = 500;

const send = coalesceMessages<PredictorMessage>(
  (messages) => process.send!(messages),
  (_message, error) => {
    throw error; // a fault of this program, which ends the process; its parent starts another
  },
);
const batches = new MicroBatches({
  maxDecoding,
  maxBatch,
  decode: (image, options) => decodePool!(image, options),
  infer: answer,
  inferTensor: (tensor) => void answerAsTensor(tensor),
  onRefused: (id, outcome) => send({ type: 'answer', id, outcome }),
  onDropped: (id) => send({ type: 'dropped', id }),
});
const loaded = new Map<number, LoadedModel>(); // by version
const swapSeconds = new Map<number, number>(); // version → to read, check and warm it up, until it is reported or unloaded
let decodePool: DecodePicture | null = null; // from the first version on: its threads would hold up the start
let follower: RegistryFollower;
let serving: Serving = {};
let inferences = 0; // images since the start

process.on('disconnect', () => process.exit(0));
if (!process.connected) process.exit(0); // the parent ended while this process was loading
process.on('SIGTERM', () => process.exit(0));
process.on('SIGHUP', () => {}); // its parent decides when it ends
process.once('message', (start: PredictorStart) => void serve(start));

async function serve({
  dataDir,
  engine: preference,
  keepModels = Number.POSITIVE_INFINITY,
  servedModels = 4,
}: PredictorStart): Promise<void> {
  // Not on webgpu, which reads nothing back synchronously: a CPU has eight images done before a GPU is asked.
  const engine = await openEngine(preference === 'webgpu' ? 'auto' : preference);
  send({ type: 'ready', engine });
  setInterval(reportAlive, aliveMs);
  follower = new RegistryFollower({
    store: openStore(dataDir),
    registry: openRegistry(dataDir, (damaged) => send({ type: 'decisionDamaged', ...damaged })),
    keepModels,
    servedModels,
    load,
    unload,
    report: send,
    onServing,
  });
  process.on('message', receive);
  for (;;) {
    await follower.check();
    await delay(checkRegistryMs);
  }
}

/** Loads a version beside those that answer. */
async function load(stored: StoredModel, readSeconds: number): Promise<void> {
  const startedAt = performance.now();
  const model = await loadModel(stored);
  loaded.set(model.served.version, model);
  swapSeconds.set(model.served.version, readSeconds + (performance.now() - startedAt) / 1000);
  decodePool ??= startDecodePool();
}

function unload(version: number): void {
  tf.dispose(loaded.get(version)?.parameters ?? []);
  loaded.delete(version);
  swapSeconds.delete(version);
}

function onServing(next: Serving): void {
  const before = serving;
  serving = next;
  const champions: Record<string, ServedModel> = {};
  for (const [name, { champion }] of Object.entries(next))
    if (champion !== null) champions[name] = loaded.get(champion)!.served;
  send({ type: 'serving', serving, champions });
  for (const [name, model] of Object.entries(champions)) {
    if (before[name]?.champion === model.version) continue;
    const seconds = swapSeconds.get(model.version) ?? 0; // 0: it was loaded before
    swapSeconds.delete(model.version);
    send({ type: 'model', model, tensors: liveTensors(), seconds });
  }
}

/** The parent takes silence for a hang. */
function reportAlive(): void {
  send({ type: 'alive', work: { decodings: batches.decodings, inferences } });
}

function receive(requests: PredictorRequest[]): void {
  for (const request of requests) {
    if (request.type === 'image') receiveImage(request.id, request);
    else if (request.type === 'tensor') receiveTensor(request.id, request);
    else if (request.type === 'drop') batches.drop(request.id);
    else if (request.type === 'check') void follower.check();
    else void loadPinned(request.version);
  }
}

function receiveImage(id: number, order: ImageOrder): void {
  const model = loaded.get(order.version);
  if (!model) send({ type: 'notLoaded', id });
  else if (model.form === 'picture' && order.as === 'line')
    send({ type: 'answer', id, outcome: noLine(model) });
  else batches.add(id, model.form === 'picture' ? { ...order, as: 'picture' } : order);
  follower.touch(order.version);
}

function receiveTensor(id: number, order: TensorOrder): void {
  if (loaded.has(order.version)) batches.addTensor(id, order);
  else send({ type: 'notLoaded', id });
  follower.touch(order.version);
}

/** There is no ink in a picture, so nothing to cut into characters. */
function noLine({ served: { name } }: LoadedModel): PredictFailure {
  const message = `expected a model of the form "ink" with read=line, ${name} takes whole pictures; leave read out, or name another model`;
  return { ok: false, code: 'LINE_NEEDS_INK', message };
}

async function loadPinned(version: number): Promise<void> {
  send({ type: 'loadOutcome', version, outcome: await follower.loadPinned(version) });
}

/** Infers a batch of images for one version. */
function answer(version: number, batch: DecodedImage[]): void {
  const model = loaded.get(version);
  if (!model) {
    for (const { id } of batch) send({ type: 'notLoaded', id });
    return;
  }
  const digits: Read<ReadDigit>[] = [];
  const lines: Read<ReadLine>[] = [];
  for (const image of batch) {
    if ('line' in image.picture) lines.push({ ...image, picture: image.picture });
    else digits.push({ ...image, picture: image.picture });
  }
  if (digits.length > 0) answerDigits(model, digits);
  for (const line of lines) void answerAsLine(model, line);
  send({ type: 'batch', images: batch.length });
}

/** A decoded image in one of its two forms. */
type Read<Picture> = Omit<DecodedImage, 'picture'> & { readonly picture: Picture & { readonly ok: true } };

function answerDigits(model: LoadedModel, batch: readonly Read<ReadDigit>[]): void {
  const startedAt = performance.now();
  const pixels = new Uint8Array(batch.length * imageSize);
  for (const [i, { picture }] of batch.entries()) pixels.set(picture.pixels, i * imageSize);
  const logits = infer(model, pixels); // [N × labels]
  const inferMs = performance.now() - startedAt;
  inferences += batch.length;
  for (const [i, image] of batch.entries()) {
    const { picture, withPixels } = image;
    const row = rowOf(logits, model.labels.length, i);
    const found = answerFrom(row, model, picture.warnings);
    const seen = withPixels ? { pixels: picture.pixels } : {};
    const { labels } = model;
    const outcome = {
      ok: true,
      labels,
      ...found,
      ...describe(model, image, startedAt, inferMs),
      ...seen,
    } as const;
    send({ type: 'answer', id: image.id, outcome });
  }
}

function answerAsLine(model: LoadedModel, image: Read<ReadLine>): Promise<void> {
  const { line, shrink } = image.picture;
  return answerInParts(model, image, (inferPart) => answerLine(line, shrink, inferPart, model));
}

async function answerAsTensor(waiting: WaitingTensor): Promise<void> {
  const { id, version, tensor } = waiting;
  const model = loaded.get(version);
  if (!model) return send({ type: 'notLoaded', id });
  const inferAndReport = (inferPart: InferPart) => (pixels: ImageTensor) => {
    const logits = inferPart(pixels);
    send({ type: 'batch', images: pixels.length / imageSize });
    return logits;
  };
  await answerInParts(model, { ...waiting, decodeMs: 0 }, (inferPart) =>
    answerTensor(tensor, inferAndReport(inferPart), model),
  );
}

type InferPart = (pixels: ImageTensor) => Float32Array;

/** `read` infers one part after the other. A version that is unloaded meanwhile reads no more of them. */
async function answerInParts<Found extends LineAnswer | TensorAnswer>(
  model: LoadedModel,
  waiting: Pick<DecodedImage, 'id' | 'decodeMs' | 'arrivedAt'>,
  read: (inferPart: InferPart) => Promise<Found>,
): Promise<void> {
  const { id } = waiting;
  const startedAt = performance.now();
  const inferPart = (pixels: ImageTensor) => {
    if (loaded.get(model.served.version) !== model) throw new VersionGone();
    inferences += pixels.length / imageSize;
    return infer(model, pixels);
  };
  try {
    const found = await read(inferPart);
    const described = describe(model, waiting, startedAt, performance.now() - startedAt);
    send({ type: 'answer', id, outcome: { ok: true, ...found, ...described } });
  } catch (error) {
    if (!(error instanceof VersionGone)) throw error;
    send({ type: 'notLoaded', id });
  }
}

class VersionGone extends Error {}

/** Which version read an image, and how long that took. */
function describe(
  { served }: LoadedModel,
  { decodeMs, arrivedAt }: Pick<DecodedImage, 'decodeMs' | 'arrivedAt'>,
  startedAt: number,
  inferMs: number,
): Pick<Prediction, 'model' | 'timings'> {
  const queueMs = startedAt - arrivedAt - decodeMs;
  return { model: { ...served, alias: null }, timings: { decodeMs, queueMs, inferMs } };
}
