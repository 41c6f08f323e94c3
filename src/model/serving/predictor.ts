/**
 * The API's side of prediction. Decoding and inference run in a process of their own (predictor-process.ts), so that
 * neither blocks the event loop that answers requests, and a native crash costs a restart, not the service.
 */
import type { Engine } from '../engines/engine.ts';
import type {
  PredictOutcome,
  PredictorMessage,
  PredictorNews,
  PredictorStart,
  PredictorWork,
  ServedModel,
} from './messages.ts';
import { type Load, PendingImages, restarted } from './pending-images.ts';
import { PredictorSupervisor } from './predictor-supervisor.ts';

export type PredictorEvents = {
  readonly onMessage?: (message: PredictorNews) => void;
  readonly onExit?: (how: string) => void;
};

export type Predictor = {
  /**
   * Never throws: what can go wrong is in the outcome, which comes within `answerWithinMs`. Aborting `signal` gives the
   * outcome `CANCELLED` at once, and an image that is not in a batch yet is never inferred. A prediction has
   * `pixels` only `withPixels`.
   */
  predict(image: Uint8Array, signal?: AbortSignal, withPixels?: boolean): Promise<PredictOutcome>;
  /** The model that answers now; null before the first. */
  model(): ServedModel | null;
  /** The engine that inference runs on; null until it is open. */
  engine(): Engine | null;
  /** What waits, and what the process that runs now has done, as of its last sign of life. */
  load(): Load & PredictorWork;
  close(): Promise<void>;
};

const noWork: PredictorWork = { decodings: 0, inferences: 0 };

/** Starts the predictor and keeps it running until `close`. `answerWithinMs`: the deadline of an image, 5 s by default. */
export function startPredictor(
  start: PredictorStart,
  events: PredictorEvents = {},
  answerWithinMs?: number,
): Predictor {
  const supervisor = new PredictorSupervisor(start);
  const images = new PendingImages(supervisor, answerWithinMs);
  let model: ServedModel | null = null;
  let engine: Engine | null = null;
  let hadModel = false;
  let closed = false;
  let work = noWork;

  const onMessage = (message: PredictorMessage) => {
    if (message.type === 'answer') return images.answered(message.id, message.outcome);
    if (message.type === 'dropped') return images.dropped(message.id);
    if (message.type === 'alive') {
      work = message.work;
      return;
    }
    if (message.type === 'ready') engine = message.engine;
    if (message.type === 'model') {
      model = message.model;
      hadModel = true;
      images.sendNext();
    }
    events.onMessage?.(message);
  };
  const onEnd = (how: string) => {
    model = null;
    work = noWork;
    if (closed) return images.close();
    images.processEnded();
    events.onExit?.(how);
  };
  supervisor.run({ onMessage, onEnd });

  return {
    predict: async (image, signal, withPixels) => {
      if (model) return images.predict(image, signal, withPixels);
      return hadModel ? restarted : noModel;
    },
    model: () => model,
    engine: () => engine,
    load: () => ({ ...images.load(), ...work }),
    close: async () => {
      closed = true;
      await supervisor.close();
      images.close();
    },
  };
}

const noModel: PredictOutcome = {
  ok: false,
  code: 'NO_MODEL',
  message:
    'expected a trained model, none is served yet; GET /health/ready says whether one is being loaded or trained, POST /jobs/train trains one',
};
