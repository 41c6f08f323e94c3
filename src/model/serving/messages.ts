/** Messages between the API process and the predictor process, and the outcomes of a prediction. */
import type { Engine, EnginePreference } from '../engines/engine.ts';
import type { ImageProblem } from '../image/read-digit.ts';
import type { StoreNews } from './serve-newest-version.ts';

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
  readonly pixels?: Uint8Array; // [784], what the network saw; only if asked for
};

export type PredictOutcome =
  | Prediction
  | ImageProblem
  | {
      readonly ok: false;
      readonly code: 'NO_MODEL' | 'PREDICTOR_RESTARTED' | 'PREDICT_TIMEOUT' | 'CANCELLED';
      readonly message: string;
    }
  | {
      readonly ok: false;
      readonly code: 'OVERLOADED';
      readonly message: string;
      readonly retryAfterSeconds: number;
    };

/** `withPixels`: the answer contains the pixels that the network saw. `drop`: nobody waits for this image any longer. */
export type PredictorRequest =
  | { readonly type: 'image'; readonly id: number; readonly image: Uint8Array; readonly withPixels: boolean }
  | { readonly type: 'drop'; readonly id: number };
export type PredictorStart = {
  readonly dataDir: string;
  readonly engine: EnginePreference;
  readonly keepModels?: number; // versions besides the best and the served one; unset: all
};

/** Work of a predictor process since its start, in images. */
export type PredictorWork = { readonly decodings: number; readonly inferences: number };
/** After `answer` and `dropped` the process no longer holds the image. */
export type PredictorMessage =
  | { readonly type: 'ready'; readonly engine: Engine }
  | {
      readonly type: 'model';
      readonly model: ServedModel;
      readonly tensors: number; // alive after the swap
      readonly seconds: number; // to read, check and warm it up
    }
  | { readonly type: 'batch'; readonly images: number }
  | StoreNews
  | { readonly type: 'answer'; readonly id: number; readonly outcome: Prediction | ImageProblem }
  | { readonly type: 'dropped'; readonly id: number }
  | { readonly type: 'alive'; readonly work: PredictorWork };

export type PredictorNews = Exclude<PredictorMessage, { type: 'answer' | 'dropped' | 'alive' }>;
