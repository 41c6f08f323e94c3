/**
 * The API's queue of images that the predictor process is to read. Every caller gets an outcome within a deadline,
 * whatever the process does. An image that was in the process at a crash is sent once more.
 *
 * An image counts, with its bytes, until the process has let go of it, even when nobody waits for its outcome any longer:
 * the bounds are on what really lies in memory.
 */
import { messageOf } from '../../lib/errors.ts';
import { createRateMeter } from '../../lib/rate-meter.ts';
import { imageSize } from '../data/dataset.ts';
import type { AnyOutcome, ImageOrder, PredictFailure, PredictorRequest, TensorOrder } from './messages.ts';

/**
 * What may wait: a fifth of a second of pictures and, counted apart so that neither keeps the other out, twice the largest
 * tensor. A request that finds its kind below a bound may pass it by the images of one tensor; so may the process.
 */
const mostPictures: Load = { images: 256, bytes: 64 * 1024 * 1024 };
const mostTensors: Load = { images: 512, bytes: 64 * 1024 * 1024 };
/** Requests that name a version take at most a quarter of it, so that they leave room for the champion's. */
const pinnedShare = 1 / 4;
const mostInProcess = 32; // images: enough to keep it busy; it reads that one is dropped after them
/** Files this large are mostly photos, each of which takes longer than many small pictures: those don't wait for them. */
const largeBytes = 512 * 1024;
const mostLargeInProcess = 4;
const maxSends = 2; // an image that was in the process at two crashes may be their cause
export const answerWithinMs = 5000;
const dropWithinMs = 5000; // for the process to let go of an image that it was told to drop
const initialRate = 256; // images a second, before anything was measured
const maxRetryAfter = 60; // s

export type Load = { readonly images: number; readonly bytes: number };
type Use = { images: number; bytes: number; inProcess: number };

/** The part of the process that the queue needs. It kills a process that does not let go of an image. */
export type ProcessPort = { send(request: PredictorRequest): void; kill(reason: string): void };

/** The places for orders of a kind. */
type Room = {
  readonly what: string; // for people
  readonly takes: (order: Order) => boolean;
  readonly use: Use;
  readonly most: Load;
};

/** `notLoaded`: the process does not have the version that is to read the image. */
type Ending = AnyOutcome | 'notLoaded';

type Order = ImageOrder | TensorOrder;

/** An image, or the images of one tensor. */
type PendingImage = {
  readonly order: Order;
  resolve: ((ending: Ending) => void) | null; // null: has its outcome
  sends: number;
  inProcess: boolean; // the process that runs now has it
};

export class PendingImages {
  readonly #process: ProcessPort;
  readonly #pending = new Map<number, PendingImage>(); // by id, oldest first
  readonly #rate = createRateMeter(initialRate);
  readonly #all = noUse();
  readonly #pinned = noUse(); // of all, by images whose request names a version
  readonly #large = noUse(); // of all, by large images
  readonly #rooms: readonly Room[] = [
    ...roomsFor('images', mostPictures, (order) => !isTensor(order)),
    ...roomsFor('images of tensors', mostTensors, isTensor),
  ];
  #nextId = 0;

  constructor(process: ProcessPort) {
    this.#process = process;
  }

  load(): Load {
    return { images: this.#all.images, bytes: this.#all.bytes };
  }

  async predict(order: Order, signal?: AbortSignal, withinMs = answerWithinMs): Promise<Ending> {
    if (signal?.aborted) return cancelled;
    const refusal = this.#refuse(order);
    if (refusal) return refusal;
    const id = this.#nextId++;
    const outcome = this.#add(id, order);
    const timer = setTimeout(() => this.#giveUp(id, timedOut), withinMs);
    const onAbort = () => this.#giveUp(id, cancelled);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.sendNext();
    try {
      return await outcome;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Sends as many images as the process may have, of each kind the oldest first. Call it also when a process is ready for images. */
  sendNext(): void {
    for (const [id, pending] of this.#pending) {
      if (this.#all.inProcess >= mostInProcess) return;
      if (pending.inProcess) continue;
      if (this.#isHeldBack(pending.order)) continue;
      pending.inProcess = true;
      pending.sends++;
      this.#count(pending.order, { inProcess: imagesOf(pending.order) });
      this.#process.send(requestFor(id, pending.order));
      this.#rate.busy();
    }
  }

  /** The process has answered, and let go of the image. */
  answered(id: number, outcome: Ending): void {
    this.#settle(id, outcome);
    this.dropped(id);
  }

  /** The process has let go of an image that nobody waits for. */
  dropped(id: number): void {
    const pending = this.#pending.get(id);
    this.#remove(id);
    this.#rate.count(pending && imagesOf(pending.order));
    if (this.#pending.size === 0) this.#rate.idle();
    this.sendNext();
  }

  /** The process has ended with all that it had. Images that somebody waits for stay, to be sent once more. */
  processEnded(): void {
    for (const [id, pending] of this.#pending) {
      if (pending.inProcess) this.#count(pending.order, { inProcess: -imagesOf(pending.order) });
      pending.inProcess = false;
      if (pending.sends >= maxSends) this.#settle(id, restarted);
      if (pending.resolve === null) this.#remove(id);
    }
    this.#rate.idle(); // a restart is no measure of speed
  }

  /** Ends every wait: no process will answer any longer. */
  close(): void {
    for (const id of this.#pending.keys()) {
      this.#settle(id, restarted);
      this.#remove(id);
    }
  }

  /** Why an image doesn't fit; null: it does. */
  #refuse(order: Order): PredictFailure | null {
    const full = this.#rooms.find(({ takes, use, most }) => {
      return takes(order) && (use.images >= most.images || use.bytes + bytesOf(order) > most.bytes);
    });
    return full ? overloaded(full.what, full.use, this.#rate.perSecond()) : null;
  }

  /** Whether the process has enough images of its kind. */
  #isHeldBack(order: Order): boolean {
    if (order.isPinned && this.#pinned.inProcess >= pinnedShare * mostInProcess) return true;
    return isLarge(order) && this.#large.inProcess >= mostLargeInProcess;
  }

  #count(order: Order, change: Partial<Use>): void {
    const kinds = [...(order.isPinned ? [this.#pinned] : []), ...(isLarge(order) ? [this.#large] : [])];
    const rooms = this.#rooms.filter(({ takes }) => takes(order)).map(({ use }) => use);
    for (const use of [this.#all, ...kinds, ...rooms])
      for (const [what, by] of Object.entries(change)) use[what as keyof Use] += by;
  }

  #add(id: number, order: Order): Promise<Ending> {
    this.#count(order, { images: imagesOf(order), bytes: bytesOf(order) });
    return new Promise((resolve) => {
      this.#pending.set(id, { order, resolve, sends: 0, inProcess: false });
    });
  }

  /** Gives an image its outcome; only the first counts. */
  #settle(id: number, outcome: Ending): void {
    const pending = this.#pending.get(id);
    pending?.resolve?.(outcome);
    if (pending) pending.resolve = null;
  }

  #remove(id: number): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    const { order, inProcess } = pending;
    const images = -imagesOf(order);
    this.#count(order, { images, bytes: -bytesOf(order), inProcess: inProcess ? images : 0 });
  }

  #giveUp(id: number, outcome: PredictFailure): void {
    this.#settle(id, outcome);
    if (!this.#isInProcess(id)) return this.#remove(id);
    this.#process.send({ type: 'drop', id });
    const killIfStuck = () => {
      if (this.#isInProcess(id))
        this.#process.kill(`expected image ${id} to be let go of in ${dropWithinMs} ms`);
    };
    setTimeout(killIfStuck, dropWithinMs).unref();
  }

  /** False as well when it was removed. */
  #isInProcess(id: number): boolean {
    return this.#pending.get(id)?.inProcess ?? false;
  }
}

export const restarted: PredictFailure = {
  ok: false,
  code: 'PREDICTOR_RESTARTED',
  message: 'the predictor ended while it had this image, or is being started again; send the image again',
};

export const notSent = (error: unknown): PredictFailure => ({
  ok: false,
  code: 'IMAGE_NOT_READ',
  message: `expected to send the image to the predictor, got: ${messageOf(error)}`,
});

export const timedOut: PredictFailure = {
  ok: false,
  code: 'PREDICT_TIMEOUT',
  message: `expected the predictor to answer within ${answerWithinMs / 1000} s, it did not; send the image again`,
};

export const cancelled: PredictFailure = {
  ok: false,
  code: 'CANCELLED',
  message: 'nobody waits for this image any longer',
};

/** Room for all orders of a kind, and within that for those whose request names a version. */
function roomsFor(what: string, most: Load, takes: (order: Order) => boolean): Room[] {
  const share = { images: pinnedShare * most.images, bytes: pinnedShare * most.bytes };
  const isPinned = (order: Order) => takes(order) && order.isPinned;
  return [
    { what, takes, use: noUse(), most },
    { what: `${what} for versions that requests name`, takes: isPinned, use: noUse(), most: share },
  ];
}

const isTensor = (order: Order) => 'tensor' in order;
/** A tensor is not: it is never decoded. */
const isLarge = (order: Order) => 'image' in order && order.image.byteLength > largeBytes;
const imagesOf = (order: Order) => ('tensor' in order ? order.tensor.length / imageSize : 1);
const bytesOf = (order: Order) => ('tensor' in order ? order.tensor : order.image).byteLength;
const requestFor = (id: number, order: Order): PredictorRequest =>
  'tensor' in order ? { type: 'tensor', id, ...order } : { type: 'image', id, ...order };
const noUse = (): Use => ({ images: 0, bytes: 0, inProcess: 0 });

function overloaded(what: string, { images, bytes }: Load, perSecond: number): PredictFailure {
  const retryAfterSeconds = Math.min(Math.max(1, Math.ceil(images / perSecond)), maxRetryAfter);
  const megabytes = (bytes / 1e6).toFixed(1);
  const message = `${images} ${what} of ${megabytes} MB in all are waiting, and no more fit; try again in ${retryAfterSeconds} s`;
  return { ok: false, code: 'OVERLOADED', message, retryAfterSeconds };
}
