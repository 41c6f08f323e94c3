/**
 * The API's side of prediction. Decoding and inference go on in a process of their own
 * (predictor-process), so that neither blocks the event loop that answers requests and a native
 * crash costs a restart, not the service.
 */
import type { Engine } from '../engines/engine.ts';
import { keepPredictorRunning } from './child.ts';
import { createDelivery, restarted } from './delivery.ts';
import type {
  PredictOutcome,
  PredictorMessage,
  PredictorNews,
  PredictorStart,
  PredictorWork,
  ServedModel,
} from './messages.ts';
import type { Load } from './pending.ts';

export type PredictorEvents = {
  readonly onMessage?: (message: PredictorNews) => void;
  readonly onExit?: (how: string) => void;
};

export type Predictor = {
  /**
   * Never throws: what can go wrong is in the outcome, which comes within 5 s. Aborting `signal` gives the
   * outcome `CANCELLED` at once, and an image that is not in a batch yet is never inferred. A prediction has
   * `pixels` only `withPixels`.
   */
  predict(image: Uint8Array, signal?: AbortSignal, withPixels?: boolean): Promise<PredictOutcome>;
  /** The model that answers now; null before the first. */
  model(): ServedModel | null;
  /** What inference runs on; null until it is open. */
  engine(): Engine | null;
  /** What waits, and what has been done by the process that runs now, as of its last sign of life. */
  load(): Load & PredictorWork;
  close(): Promise<void>;
};

const noWork: PredictorWork = { decodings: 0, inferences: 0 };

/** Starts the predictor and keeps it running until `close`. */
export function startPredictor(start: PredictorStart, events: PredictorEvents = {}): Predictor {
  let model: ServedModel | null = null;
  let engine: Engine | null = null;
  let hadModel = false;
  let closed = false;
  let work = noWork;

  const onMessage = (message: PredictorMessage) => {
    if (message.type === 'answer') return delivery.answered(message.id, message.outcome);
    if (message.type === 'dropped') return delivery.dropped(message.id);
    if (message.type === 'alive') {
      work = message.work;
      return;
    }
    if (message.type === 'ready') engine = message.engine;
    if (message.type === 'model') {
      model = message.model;
      hadModel = true;
      delivery.sendNext();
    }
    events.onMessage?.(message);
  };
  const onEnd = (how: string) => {
    model = null;
    work = noWork;
    if (closed) return delivery.end();
    delivery.childEnded();
    events.onExit?.(how);
  };
  const delivery = createDelivery({
    send: (request) => child.send(request),
    kill: (why) => child.kill(why),
  });
  const child = keepPredictorRunning(start, { onMessage, onEnd });

  return {
    predict: async (image, signal, withPixels) => {
      if (model) return delivery.deliver(image, signal, withPixels);
      return hadModel ? restarted : noModel;
    },
    model: () => model,
    engine: () => engine,
    load: () => ({ ...delivery.load(), ...work }),
    close: async () => {
      closed = true;
      await child.close();
      delivery.end();
    },
  };
}

const noModel: PredictOutcome = {
  ok: false,
  code: 'NO_MODEL',
  message:
    'expected a trained model, none is served yet; GET /health/ready says whether one is being loaded or trained, POST /jobs/train trains one',
};
