/** The training run: epochs of steps, an evaluation after each, a checkpoint of what is good. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { takeBatch } from './batch.ts';
import { type Dataset, type DatasetName, firstOf, type Split } from './dataset.ts';
import { constantAnswerAccuracy, type Evaluation, evaluate } from './evaluate.ts';
import { initialWeights, type Network, networks } from './network.ts';
import { createPace, type Pace } from './pace.ts';
import { permutation, randomFor } from './random.ts';
import { learningRateAt, type Recipe } from './recipe.ts';
import { disposeState, initialState, type TrainState, trainStep } from './step.ts';

/** A run with every value resolved: the same plan on the same engine gives the same weights, byte for byte. */
export type TrainPlan = Recipe & {
  readonly dataset: DatasetName;
  readonly seed: number;
  readonly trainImages: number | null; // only the first so many; null: all
  readonly testImages: number | null;
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

/** What a run tells while it goes on. */
export type TrainHooks = {
  /** At least every `reportEveryMs` and every 100 batches. */
  readonly onProgress: (progress: Progress) => void;
  /** After each epoch whose weights are better than one fixed answer; the run waits for it. */
  readonly onEpoch: (metrics: EpochMetrics, weights: Float32Array) => Promise<void>;
};

export type TrainOutcome =
  | { readonly status: 'succeeded' }
  | { readonly status: 'cancelled' }
  | {
      readonly status: 'failed';
      readonly code: 'TRAINING_COLLAPSED' | 'LOSS_NOT_FINITE';
      readonly message: string;
    };

const reportEveryMs = 250;
export const reportEverySteps = 100; // as the article prints its loss

/** One run in flight; `state` is replaced by each step. */
type Run = {
  readonly plan: TrainPlan;
  readonly network: Network;
  readonly trainSplit: Split;
  readonly testSplit: Split;
  readonly stepsPerEpoch: number;
  readonly hooks: TrainHooks;
  readonly signal: AbortSignal;
  readonly pace: Pace;
  state: TrainState;
};

/** Trains to the plan's end, to the first sign of a run not worth going on with, or to the abort. */
export async function train(
  plan: TrainPlan,
  dataset: Dataset,
  hooks: TrainHooks,
  signal: AbortSignal,
): Promise<TrainOutcome> {
  const run = startRun(plan, dataset, hooks, signal);
  try {
    for (let epoch = 1; epoch <= plan.epochs; epoch++) {
      const startedAt = performance.now();
      const trainLoss = await trainEpoch(run, epoch);
      if (!Number.isFinite(trainLoss)) return lossNotFinite(epoch, trainLoss);
      const evaluation = await evaluate(run.network, run.state.weights, run.testSplit, signal);
      const failure = findFailure(run, epoch, evaluation);
      if (failure) return failure;
      if (isFixedAnswer(run, evaluation)) continue; // it warms up: nothing worth keeping yet
      const { loss: testLoss, accuracy: testAccuracy } = evaluation;
      const seconds = (performance.now() - startedAt) / 1000;
      const weights = (await run.state.weights.data()) as Float32Array;
      await hooks.onEpoch({ epoch, trainLoss, testLoss, testAccuracy, seconds }, weights);
    }
    return { status: 'succeeded' };
  } catch (error) {
    if (signal.aborted) return { status: 'cancelled' };
    throw error;
  } finally {
    disposeState(run.state);
  }
}

function startRun(plan: TrainPlan, dataset: Dataset, hooks: TrainHooks, signal: AbortSignal): Run {
  const network = networks[plan.network];
  const trainSplit = firstOf(dataset.train, plan.trainImages);
  const testSplit = firstOf(dataset.test, plan.testImages);
  const stepsPerEpoch = Math.ceil(trainSplit.count / plan.batchSize);
  const pace = createPace({
    epochs: plan.epochs,
    trainImages: trainSplit.count,
    testImages: testSplit.count,
  });
  const state = initialState(initialWeights(network, plan.seed));
  return { plan, network, trainSplit, testSplit, stepsPerEpoch, hooks, signal, pace, state };
}

/** Goes once over the training split; the mean loss of its batches, or the first loss that is not finite. */
async function trainEpoch(run: Run, epoch: number): Promise<number> {
  const { plan, trainSplit, stepsPerEpoch } = run;
  const order = epochOrder(plan, epoch, trainSplit.count);
  run.pace.startEpoch();
  let lossSum = tf.scalar(0); // stays on the device: reading it each step would stall a GPU
  let reportedAt = performance.now();
  for (let index = 0; index < stepsPerEpoch; index++) {
    const loss = oneStep(run, order, index);
    lossSum = replace(lossSum, lossSum.add<tf.Scalar>(loss));
    run.pace.trained(Math.min(plan.batchSize, trainSplit.count - index * plan.batchSize));
    const due = run.state.step % reportEverySteps === 0 || performance.now() - reportedAt > reportEveryMs;
    if (due || index === stepsPerEpoch - 1) {
      const value = (await loss.data())[0]!;
      if (!Number.isFinite(value)) {
        tf.dispose([loss, lossSum]);
        return value;
      }
      run.hooks.onProgress(progressOf(run, epoch, value));
      reportedAt = performance.now();
    }
    loss.dispose();
    await nextTurn(); // lets a cancel in
    run.signal.throwIfAborted();
  }
  const mean = (await lossSum.data())[0]! / stepsPerEpoch;
  lossSum.dispose();
  return mean;
}

/** One optimizer step on the epoch's batch `index`; replaces the run's state and returns the loss. */
function oneStep(run: Run, order: Uint32Array, index: number): tf.Scalar {
  const { plan, network, trainSplit, stepsPerEpoch } = run;
  const batch = takeBatch(trainSplit, order, index * plan.batchSize, plan.batchSize);
  const learningRate = learningRateAt(plan, run.state.step, stepsPerEpoch * plan.epochs);
  const options = { learningRate, labelSmoothing: plan.labelSmoothing };
  const { state, loss } = trainStep(network, run.state, batch, options);
  tf.dispose([batch.images, batch.labels]);
  disposeState(run.state);
  run.state = state;
  return loss;
}

function epochOrder(plan: TrainPlan, epoch: number, count: number): Uint32Array {
  if (plan.shuffle) return permutation(randomFor(plan.seed, `shuffle epoch ${epoch}`), count);
  return Uint32Array.from({ length: count }, (_, index) => index);
}

function progressOf(run: Run, epoch: number, loss: number): Progress {
  const { plan, state, stepsPerEpoch, pace } = run;
  const steps = stepsPerEpoch * plan.epochs;
  const { imagesPerSecond, etaSeconds } = pace.estimate(epoch);
  const fraction = state.step / steps;
  return { epoch, epochs: plan.epochs, step: state.step, steps, fraction, loss, imagesPerSecond, etaSeconds };
}

function findFailure(run: Run, epoch: number, evaluation: Evaluation): TrainOutcome | null {
  if (!Number.isFinite(evaluation.loss)) return lossNotFinite(epoch, evaluation.loss);
  if (!isFixedAnswer(run, evaluation) || isWarmingUp(run)) return null;
  const constant = constantAnswerAccuracy(run.testSplit);
  const message =
    `after epoch ${epoch} the network is no better than one fixed answer: expected more than ` +
    `${percent(constant)} test accuracy, got ${percent(evaluation.accuracy)}; try a lower learningRate ` +
    `than ${run.plan.learningRate}, or another seed than ${run.plan.seed}`;
  return { status: 'failed', code: 'TRAINING_COLLAPSED', message };
}

function isFixedAnswer(run: Run, evaluation: Evaluation): boolean {
  return evaluation.accuracy <= constantAnswerAccuracy(run.testSplit);
}

/** While the rate still rises, a long run may well have learnt nothing after its first epochs. */
function isWarmingUp({ plan, state, stepsPerEpoch }: Run): boolean {
  return plan.schedule === 'oneCycle' && state.step < plan.warmup * stepsPerEpoch * plan.epochs;
}

function lossNotFinite(epoch: number, loss: number): TrainOutcome {
  const message = `expected a finite loss, got ${loss} in epoch ${epoch}; try a lower learningRate`;
  return { status: 'failed', code: 'LOSS_NOT_FINITE', message };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function replace(old: tf.Scalar, next: tf.Scalar): tf.Scalar {
  old.dispose();
  return next;
}
