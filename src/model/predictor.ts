/**
 * The API's side of prediction. Decoding and inference go on in a process of their own
 * (predictor-process), so that neither blocks the event loop that answers requests and a native
 * crash costs a restart, not the service.
 */
import type { ChildProcess } from 'node:child_process';
import { endChild, forkBeside } from './child-process.ts';
import type { EnginePreference } from './engine.ts';
import type { StoreNews } from './follow-store.ts';
import type { ImageProblem } from './image.ts';

export type ServedModel = {
  readonly version: number;
  readonly jobId: string;
  readonly epoch: number;
  readonly testAccuracy: number;
};

export type Prediction = {
  readonly ok: true;
  readonly digit: number;
  readonly confidence: number; // 0 … 1
  readonly probabilities: number[]; // [10], sums to 1
  readonly model: ServedModel;
  readonly timings: { readonly decodeMs: number; readonly queueMs: number; readonly inferMs: number };
};

export type PredictOutcome =
  | Prediction
  | ImageProblem
  | { readonly ok: false; readonly code: 'NO_MODEL' | 'PREDICTOR_RESTARTED'; readonly message: string }
  | {
      readonly ok: false;
      readonly code: 'OVERLOADED';
      readonly message: string;
      readonly retryAfterSeconds: number;
    };

export type PredictorRequest = { readonly id: number; readonly image: Uint8Array };
export type PredictorStart = {
  readonly dataDir: string;
  readonly engine: EnginePreference;
  readonly keepModels?: number; // versions besides the best and the served one; unset: all
};
export type PredictorMessage =
  | { readonly type: 'ready'; readonly device: string; readonly fallback: string | null }
  | { readonly type: 'model'; readonly model: ServedModel }
  | StoreNews
  | { readonly type: 'answer'; readonly id: number; readonly outcome: Prediction | ImageProblem };

export type PredictorEvents = {
  readonly onMessage?: (message: Exclude<PredictorMessage, { type: 'answer' }>) => void;
  readonly onExit?: (how: string) => void;
};

export type Predictor = {
  /** Never throws: what can go wrong is in the outcome. */
  predict(image: Uint8Array): Promise<PredictOutcome>;
  /** The model that answers now; null before the first. */
  model(): ServedModel | null;
  /** What inference runs on; null until the engine is open. */
  device(): string | null;
  close(): Promise<void>;
};

const maxPending = 256; // images in the predictor at once; a fifth of a second of work
const restartDelayMs = 200;
const closeGraceMs = 2000;

/** Starts the predictor and keeps it running until `close`. */
export function startPredictor(start: PredictorStart, events: PredictorEvents = {}): Predictor {
  let child: ChildProcess;
  let model: ServedModel | null = null;
  let device: string | null = null;
  let hadModel = false;
  let closed = false;
  let restart: NodeJS.Timeout | undefined;
  const pending = createPending();
  const rate = createRateMeter();

  const onMessage = (message: PredictorMessage) => {
    if (message.type === 'answer') {
      pending.settle(message.id, message.outcome);
      rate.count();
      return;
    }
    if (message.type === 'ready') device = message.device;
    if (message.type === 'model') {
      model = message.model;
      hadModel = true;
    }
    events.onMessage?.(message);
  };
  const onExit = (code: number | null, signal: NodeJS.Signals | null) => {
    model = null;
    pending.settleAll(restarted);
    if (closed) return;
    events.onExit?.(signal ?? `exit code ${code}`);
    restart = setTimeout(run, restartDelayMs);
  };
  const run = () => {
    child = forkPredictor(start);
    child.on('message', onMessage);
    child.on('exit', onExit);
  };
  run();

  return {
    predict: (image) => {
      if (!model) return Promise.resolve(hadModel ? restarted : noModel);
      const waiting = pending.count();
      if (waiting >= maxPending) return Promise.resolve(overloaded(waiting, rate.perSecond()));
      const { id, outcome } = pending.add();
      child.send({ id, image } satisfies PredictorRequest, (error) => {
        if (error) pending.settle(id, restarted);
      });
      return outcome;
    },
    model: () => model,
    device: () => device,
    close: async () => {
      closed = true;
      clearTimeout(restart);
      await endChild(child, 'SIGTERM', closeGraceMs);
    },
  };
}

function forkPredictor(start: PredictorStart): ChildProcess {
  // Serving stays off the GPU: it needs little, and a training job may want all of it.
  const child = forkBeside(import.meta.url, 'predictor-process', { env: { CUDA_VISIBLE_DEVICES: '-1' } });
  child.on('error', () => {}); // an exit follows
  child.send(start);
  return child;
}

/** The images whose outcome is still to come. */
function createPending() {
  const resolvers = new Map<number, (outcome: PredictOutcome) => void>();
  let nextId = 0;
  const settle = (id: number, outcome: PredictOutcome) => {
    resolvers.get(id)?.(outcome);
    resolvers.delete(id);
  };
  return {
    add: () => {
      const id = nextId++;
      return { id, outcome: new Promise<PredictOutcome>((resolve) => resolvers.set(id, resolve)) };
    },
    settle,
    settleAll: (outcome: PredictOutcome) => {
      for (const id of resolvers.keys()) settle(id, outcome);
    },
    count: () => resolvers.size,
  };
}

const noModel: PredictOutcome = {
  ok: false,
  code: 'NO_MODEL',
  message: 'expected a trained model, found none yet; wait for the first training job, or POST /jobs/train',
};

const restarted: PredictOutcome = {
  ok: false,
  code: 'PREDICTOR_RESTARTED',
  message: 'the predictor ended while it had this image and is being started again; send the image again',
};

function overloaded(pending: number, perSecond: number): PredictOutcome {
  const retryAfterSeconds = Math.max(1, Math.ceil(pending / perSecond));
  const message = `${pending} images are waiting, which is the most; try again in ${retryAfterSeconds} s`;
  return { ok: false, code: 'OVERLOADED', message, retryAfterSeconds };
}

/** Answers a second, over the last whole second that had any. */
function createRateMeter() {
  let windowStart = performance.now();
  let count = 0;
  let rate = maxPending; // before anything was measured: all that may wait, in a second
  return {
    count: () => {
      count++;
      const elapsed = (performance.now() - windowStart) / 1000;
      if (elapsed < 1) return;
      rate = count / elapsed;
      count = 0;
      windowStart = performance.now();
    },
    perSecond: () => rate,
  };
}
