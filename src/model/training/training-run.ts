/** What a training run takes and what it reports. This file loads no tfjs, so that any process can import it. */
import type { CorrectionSet } from '../corrections/correction-set.ts';
import type { StateValues } from '../network/step.ts';
import type { Calibration } from './calibration.ts';
import type { Correctness } from './correctness.ts';
import type { Evaluation } from './evaluation.ts';
import type { Recipe } from './recipe.ts';

/** A run with every value resolved: the same plan on the same engine gives the same weights, byte for byte. */
export type TrainPlan = Recipe & {
  readonly dataset: string;
  readonly seed: number;
  readonly testImages: number | null; // the first N test images; null: all
  readonly corrections: string | false; // the SHA-256 of the set that it also trains on
};

export type Progress = {
  readonly epoch: number; // from 1
  readonly epochs: number;
  readonly step: number; // in the whole run, from 1
  readonly steps: number;
  readonly fraction: number; // 0 … 1
  readonly loss: number; // of the newest batch
  readonly imagesPerSecond: number;
  readonly etaSeconds: number;
};

export type EpochMetrics = {
  readonly epoch: number;
  readonly trainLoss: number; // mean over the epoch's batches
  readonly testLoss: number;
  readonly testAccuracy: number; // 0 … 1
  readonly seconds: number; // training and evaluation
};

/**
 * Where a run stands between two steps: all that another process needs to go on from there. Random numbers
 * need no saved state, because each purpose derives its own generator from the seed (lib/random.ts).
 */
export type RunPosition = StateValues & {
  readonly epoch: number; // from 1; `epochs` + 1 when all are done
  readonly lossSum: number; // over the batches of this epoch so far
  readonly epochSeconds: number; // spent on this epoch so far
  readonly best?: BestEpoch | null; // none before the first epoch with images held back
};

/** The epoch with the lowest loss on the images held back. */
export type BestEpoch = { readonly epoch: number; readonly loss: number };

/** What a network does with the test images. */
export type TestResults = {
  readonly evaluation: Evaluation;
  readonly correctness: Correctness;
  readonly calibration?: Calibration; // none where no training images were held back
};

/** What the run calls as it goes. */
export type TrainHooks = {
  /** Called every `progressMs`, less often in a run of hours, and after the last step of each epoch. */
  readonly onProgress: (progress: Progress) => void;
  /** Called every 100 steps, as the article prints its loss. */
  readonly onLoss?: (progress: Progress) => void;
  /**
   * Called after each epoch whose weights beat a constant answer and, where the plan has a `patience`, those of all epochs
   * before; the run waits for it. The weights are those of the plan's network with its batch normalisation folded.
   */
  readonly onEpoch: (metrics: EpochMetrics, weights: Float32Array, tested: TestResults) => Promise<void>;
  /** Called after the first step, every `resumePointMs`, after each epoch, and when the run stops; the run waits for it. */
  readonly onPosition: (position: RunPosition) => Promise<void>;
};

export type TrainIntervals = {
  readonly progressMs: number; // between two progress reports
  readonly resumePointMs: number; // between two resume points: the most that a crash makes compute again
  readonly stepPauseMs: number; // after each step; an abort ends it. Tests of long jobs leave the cores idle with it
};
export const defaultIntervals: TrainIntervals = { progressMs: 250, resumePointMs: 3000, stepPauseMs: 0 };

export type TrainOptions = Partial<TrainIntervals> & {
  /** Stops the run after the step under way. */
  readonly signal?: AbortSignal;
  /** The corrections that the plan names; they are trained on too, and those held out are measured with. */
  readonly corrections?: CorrectionSet | null;
  /** Where an earlier attempt at the same plan stood; null: start from the beginning. */
  readonly from?: RunPosition | null;
};

export type TrainOutcome =
  | { readonly status: 'succeeded' }
  | { readonly status: 'stopped' } // by the signal; another attempt can go on from the last position
  | {
      readonly status: 'failed';
      readonly code: 'TRAINING_COLLAPSED' | 'LOSS_NOT_FINITE';
      readonly message: string;
    };
