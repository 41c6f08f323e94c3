/** Messages between the API process and the predictor process, and the outcomes of a prediction. */
import type { Engine, EnginePreference } from '../engines/engine.ts';
import type { ImageProblem } from '../image/problem.ts';
import type { ReadAs } from '../image/read-picture.ts';
import type { Answer } from './answer.ts';
import type { LineAnswer } from './answer-line.ts';
import type { Serving, StoreNews } from './follow-registry.ts';
import type { LoadOutcome, NotLoaded } from './loaded-versions.ts';

export type ServedModel = {
  readonly name: string; // of the model, a line of versions
  readonly version: number;
  readonly jobId: string;
  readonly epoch: number;
  readonly testAccuracy: number;
};

export type Prediction = Answer & {
  readonly ok: true;
  readonly labels: readonly string[]; // of the version, in the order of `probabilities`
  readonly model: ServedModel & { readonly alias: string | null }; // null: the request named the version
  readonly timings: { readonly decodeMs: number; readonly queueMs: number; readonly inferMs: number };
  readonly pixels?: Uint8Array; // [784], what the network saw; only if asked for
};

/** A line of characters that was read. */
export type LinePrediction = LineAnswer & { readonly ok: true } & Pick<Prediction, 'model' | 'timings'>;

/** What was read off a tensor of N images. */
export type TensorPrediction = {
  readonly ok: true;
  readonly labels: readonly string[];
  readonly probabilities: Float32Array; // [N × labels]
  readonly answers: readonly Pick<Answer, 'label' | 'verdict'>[]; // [N]
} & Pick<Prediction, 'model' | 'timings'>;

/** `Found`: what was asked for. */
export type PredictOutcome<Found = Prediction> = Found | PredictFailure;
/** Whatever was asked for. */
export type AnyOutcome = PredictOutcome<Prediction | LinePrediction | TensorPrediction>;

export type PredictFailure =
  | ImageProblem
  | NotLoaded
  | {
      readonly ok: false;
      readonly code:
        | 'NO_MODEL'
        | 'MODEL_UNKNOWN'
        | 'ALIAS_NOT_FOUND'
        | 'LINE_NEEDS_INK'
        | 'MIN_VERSION_NOT_SERVED'
        | 'PREDICTOR_RESTARTED'
        | 'PREDICT_TIMEOUT'
        | 'CANCELLED';
      readonly message: string;
    }
  | {
      readonly ok: false;
      readonly code: 'OVERLOADED';
      readonly message: string;
      readonly retryAfterSeconds: number;
    };

/** An image, and the version that reads it. */
export type ImageOrder = {
  readonly image: Uint8Array;
  readonly version: number;
  readonly isPinned: boolean; // it may have to wait for images that the champion is to read
  readonly as?: ReadAs; // unset: one character
  readonly withPixels: boolean; // the answer contains the pixels that the network saw
};

/** Greys as the network takes them, [N × 784]: bytes of 0 … 255, or floats of 0 … 1. */
export type ImageTensor = Uint8Array | Float32Array;

/** Images that need no decoding, and the version that reads them together. */
export type TensorOrder = { readonly tensor: ImageTensor } & Pick<ImageOrder, 'version' | 'isPinned'>;

export type PredictorRequest =
  | ({ readonly type: 'image'; readonly id: number } & ImageOrder)
  | ({ readonly type: 'tensor'; readonly id: number } & TensorOrder)
  /** Nobody waits for this image, or tensor, any longer. */
  | { readonly type: 'drop'; readonly id: number }
  | { readonly type: 'load'; readonly version: number }
  /** Look at the registry now. */
  | { readonly type: 'check' };
export type PredictorStart = {
  readonly dataDir: string;
  readonly engine: EnginePreference;
  readonly keepModels?: number; // versions besides the best and those in use; unset: all
  readonly servedModels?: number; // versions that are loaded at a time
};

/** Work of a predictor process since its start, in images. */
export type PredictorWork = { readonly decodings: number; readonly inferences: number };
/** After `answer` and `dropped` the process no longer holds the image. */
export type PredictorMessage =
  | { readonly type: 'ready'; readonly engine: Engine }
  /** What answers has changed. */
  | {
      readonly type: 'serving';
      readonly serving: Serving;
      readonly champions: Readonly<Record<string, ServedModel>>; // by model; those that are loaded
    }
  /** A model has a new champion. */
  | {
      readonly type: 'model';
      readonly model: ServedModel;
      readonly tensors: number; // alive after the swap
      readonly seconds: number; // to read, check and warm it up
    }
  | { readonly type: 'loadOutcome'; readonly version: number; readonly outcome: LoadOutcome }
  | { readonly type: 'batch'; readonly images: number }
  | StoreNews
  | {
      readonly type: 'answer';
      readonly id: number;
      readonly outcome: AnyOutcome;
    }
  /** The image was not read: its version has to be loaded first. */
  | { readonly type: 'notLoaded'; readonly id: number }
  | { readonly type: 'dropped'; readonly id: number }
  | { readonly type: 'alive'; readonly work: PredictorWork };

export type PredictorNews = Exclude<
  PredictorMessage,
  { type: 'answer' | 'notLoaded' | 'dropped' | 'alive' | 'loadOutcome' }
>;
