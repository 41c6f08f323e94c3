/**
 * Takes images to the predictor process and outcomes back. Every outcome comes within a time limit, whatever the
 * process does; an image that nobody waits for is dropped; one that was there at a crash is sent once more.
 */

import type { PredictorChild } from './child.ts';
import type { PredictOutcome } from './messages.ts';
import { createPending, type Load } from './pending.ts';
import { createRateMeter } from './rate.ts';

const answerWithinMs = 5000;
const letGoWithinMs = 5000; // after the process was told to drop an image
const initialRate = 256; // images a second, before anything was measured
const maxRetryAfter = 60; // s

export type Delivery = {
  deliver(image: Uint8Array, signal?: AbortSignal, withPixels?: boolean): Promise<PredictOutcome>;
  /** To be called when a process is ready for images. */
  sendNext(): void;
  answered(id: number, outcome: PredictOutcome): void;
  /** The process has let go of an image that nobody waits for. */
  dropped(id: number): void;
  childEnded(): void;
  /** Nothing is delivered any longer. */
  end(): void;
  load(): Load;
};

export function createDelivery(child: Pick<PredictorChild, 'send' | 'kill'>): Delivery {
  const pending = createPending();
  const rate = createRateMeter(initialRate);

  const sendNext = () => {
    for (const order of pending.takeUnsent()) {
      child.send({ type: 'image', ...order });
      rate.busy();
    }
  };
  const dropped = (id: number) => {
    pending.remove(id);
    rate.count();
    if (pending.load().images === 0) rate.idle();
    sendNext();
  };
  const giveUp = (id: number, outcome: PredictOutcome) => {
    pending.settle(id, outcome);
    if (!pending.isInChild(id)) return pending.remove(id);
    child.send({ type: 'drop', id });
    const killIfStuck = () => {
      if (pending.isInChild(id)) child.kill(`expected image ${id} to be let go of in ${letGoWithinMs} ms`);
    };
    setTimeout(killIfStuck, letGoWithinMs).unref();
  };
  const add = async (image: Uint8Array, signal: AbortSignal | undefined, withPixels: boolean) => {
    const { id, outcome } = pending.add(image, withPixels);
    const onTime = () => giveUp(id, timedOut);
    const onAbort = () => giveUp(id, cancelled);
    const timer = setTimeout(onTime, answerWithinMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    sendNext();
    try {
      return await outcome;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  };

  return {
    deliver: async (image, signal, withPixels = false) => {
      if (signal?.aborted) return cancelled;
      if (!pending.hasRoomFor(image)) return overloaded(pending.load(), rate.perSecond());
      return add(image, signal, withPixels);
    },
    sendNext,
    answered: (id, outcome) => {
      pending.settle(id, outcome);
      dropped(id);
    },
    dropped,
    childEnded: () => {
      pending.childEnded(restarted);
      rate.idle(); // a restart is no measure of speed
    },
    end: () => pending.settleAll(restarted),
    load: () => pending.load(),
  };
}

export const restarted: PredictOutcome = {
  ok: false,
  code: 'PREDICTOR_RESTARTED',
  message: 'the predictor ended while it had this image, or is being started again; send the image again',
};

const timedOut: PredictOutcome = {
  ok: false,
  code: 'PREDICT_TIMEOUT',
  message: `expected the predictor to answer within ${answerWithinMs / 1000} s, it did not; send the image again`,
};

const cancelled: PredictOutcome = {
  ok: false,
  code: 'CANCELLED',
  message: 'nobody waits for this image any longer',
};

function overloaded({ images, bytes }: Load, perSecond: number): PredictOutcome {
  const retryAfterSeconds = Math.min(Math.max(1, Math.ceil(images / perSecond)), maxRetryAfter);
  const megabytes = (bytes / 1e6).toFixed(1);
  const message = `${images} images of ${megabytes} MB in all are waiting, and no more fit; try again in ${retryAfterSeconds} s`;
  return { ok: false, code: 'OVERLOADED', message, retryAfterSeconds };
}
