/**
 * The training run: epochs of steps, an evaluation after each, a checkpoint of what is good. A run can be
 * left at any step and taken up from there: it ends with the same bytes as one that was not left.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { permutation, randomFor } from '../../lib/random.ts';
import { takeBatch } from '../data/batch.ts';
import { type Dataset, type DatasetName, firstOf, type Split } from '../data/dataset.ts';
import { initialWeights, type Network, networks } from '../network/network.ts';
import type { TrainState } from '../network/operations.ts';
import {
  disposeState,
  initialState,
  readState,
  restoreState,
  type StateValues,
  trainStep,
} from '../network/step.ts';
import { type Answers, constantAnswerAccuracy, evaluate } from './evaluate.ts';
import { type Evaluation, summarise } from './evaluation.ts';
import { createPace, type Pace } from './pace.ts';
import { learningRateAt, type Recipe } from './recipe.ts';

/** A run with every value resolved: the same plan on the same engine gives the same weights, byte for byte. */
export type TrainPlan = Recipe & {
  readonly dataset: DatasetName;
  readonly seed: number;
  readonly testImages: number | null; // only the first so many; null: all
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
 * Where a run stands between two steps: all that it takes to go on from there. Random numbers need no
 * state of their own, since each purpose draws from the seed afresh (random.ts).
 */
export type RunPosition = StateValues & {
  readonly epoch: number; // from 1; `epochs` + 1 when all are done
  readonly lossSum: number; // over the batches of this epoch so far
  readonly epochSeconds: number; // spent on this epoch so far
};

/** What a run tells while it goes on. */
export type TrainHooks = {
  /** At least every `reportEveryMs` and every 100 batches. */
  readonly onProgress: (progress: Progress) => void;
  /** After each epoch whose weights are better than one fixed answer; the run waits for it. */
  readonly onEpoch: (metrics: EpochMetrics, weights: Float32Array, evaluation: Evaluation) => Promise<void>;
  /** After the first step, every few seconds, after each epoch, and when the run is stopped; the run waits for it. */
  readonly onPosition: (position: RunPosition) => Promise<void>;
};

export type TrainOutcome =
  | { readonly status: 'succeeded' }
  | { readonly status: 'stopped' } // by the signal; it can be taken up again
  | {
      readonly status: 'failed';
      readonly code: 'TRAINING_COLLAPSED' | 'LOSS_NOT_FINITE';
      readonly message: string;
    };

const reportEveryMs = 250;
const positionEveryMs = 3000; // at most so much is computed again after a crash
export const reportEverySteps = 100; // as the article prints its loss

/** One run in flight; what changes is replaced by each step. */
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
  epoch: number;
  lossSum: tf.Scalar; // stays on the device: reading it each step would stall a GPU
  epochStartedAt: number; // ms; as if the epoch had not been interrupted
  positionAt: number; // ms, when it was last told
};

/**
 * Trains to the plan's end, to the first sign of a run not worth going on with, or until the signal aborts.
 *
 * @param from where an earlier attempt at the same plan stood; null: from the beginning
 */
export async function train(
  plan: TrainPlan,
  dataset: Dataset,
  hooks: TrainHooks,
  signal: AbortSignal,
  from: RunPosition | null = null,
): Promise<TrainOutcome> {
  const run = startRun(plan, dataset, hooks, signal, from);
  try {
    while (run.epoch <= plan.epochs) {
      const trainLoss = await trainEpoch(run);
      if (!Number.isFinite(trainLoss)) return lossNotFinite(run.epoch, trainLoss);
      const answers = await evaluate(run.network, run.state.weights, run.testSplit, signal);
      const failure = findFailure(run, answers);
      if (failure) return failure;
      // While it warms up, a network may be no better than one fixed answer: nothing worth keeping yet.
      if (!isFixedAnswer(run, answers)) await publishEpoch(run, trainLoss, answers);
      startEpoch(run, run.epoch + 1);
      await tellPosition(run);
    }
    return { status: 'succeeded' };
  } catch (error) {
    if (!signal.aborted) throw error;
    await tellPosition(run);
    return { status: 'stopped' };
  } finally {
    disposeState(run.state);
    run.lossSum.dispose();
  }
}

function startRun(
  plan: TrainPlan,
  dataset: Dataset,
  hooks: TrainHooks,
  signal: AbortSignal,
  from: RunPosition | null,
): Run {
  const network = networks[plan.network];
  const trainSplit = firstOf(dataset.train, plan.trainImages);
  const testSplit = firstOf(dataset.test, plan.testImages);
  const stepsPerEpoch = Math.ceil(trainSplit.count / plan.batchSize);
  const pace = createPace({
    epochs: plan.epochs,
    trainImages: trainSplit.count,
    testImages: testSplit.count,
  });
  const now = performance.now();
  return {
    plan,
    network,
    trainSplit,
    testSplit,
    stepsPerEpoch,
    hooks,
    signal,
    pace,
    state: from ? restoreState(from) : initialState(initialWeights(network, plan.seed)),
    epoch: from?.epoch ?? 1,
    lossSum: tf.scalar(from?.lossSum ?? 0),
    epochStartedAt: now - 1000 * (from?.epochSeconds ?? 0),
    positionAt: Number.NEGATIVE_INFINITY, // after the first step: it is a sign that the attempt got further
  };
}

function startEpoch(run: Run, epoch: number): void {
  run.epoch = epoch;
  run.lossSum = replace(run.lossSum, tf.scalar(0));
  run.epochStartedAt = performance.now();
}

/** Goes on to the end of the training split; the mean loss of its batches, or the first loss that is not finite. */
async function trainEpoch(run: Run): Promise<number> {
  const { plan, trainSplit, stepsPerEpoch } = run;
  const order = epochOrder(plan, run.epoch, trainSplit.count);
  const first = run.state.step - (run.epoch - 1) * stepsPerEpoch; // batch; 0 unless resumed
  run.pace.startEpoch(Math.min(first * plan.batchSize, trainSplit.count));
  let reportedAt = performance.now();
  for (let index = first; index < stepsPerEpoch; index++) {
    const loss = oneStep(run, order, index);
    run.lossSum = replace(run.lossSum, run.lossSum.add<tf.Scalar>(loss));
    run.pace.trained(Math.min(plan.batchSize, trainSplit.count - index * plan.batchSize));
    const due = run.state.step % reportEverySteps === 0 || performance.now() - reportedAt > reportEveryMs;
    if (due || index === stepsPerEpoch - 1) {
      const value = (await loss.data())[0]!;
      if (!Number.isFinite(value)) {
        loss.dispose();
        return value;
      }
      run.hooks.onProgress(progressOf(run, value));
      reportedAt = performance.now();
    }
    loss.dispose();
    await nextTurn(); // lets a stop in
    run.signal.throwIfAborted();
    if (performance.now() - run.positionAt > positionEveryMs) await tellPosition(run);
  }
  return (await run.lossSum.data())[0]! / stepsPerEpoch;
}

/** One optimizer step on the epoch's batch `index`; replaces the run's state and returns the loss. */
function oneStep(run: Run, order: Uint32Array, index: number): tf.Scalar {
  const { plan, network, trainSplit, stepsPerEpoch } = run;
  const random = plan.augment ? randomFor(plan.seed, `augment step ${run.state.step}`) : null;
  const batch = takeBatch(trainSplit, order, index * plan.batchSize, plan.batchSize, random);
  const learningRate = learningRateAt(plan, run.state.step, stepsPerEpoch * plan.epochs);
  const options = { learningRate, labelSmoothing: plan.labelSmoothing };
  const { state, loss } = trainStep(network, run.state, batch, options);
  tf.dispose([batch.images, batch.labels]);
  disposeState(run.state);
  run.state = state;
  return loss;
}

async function publishEpoch(run: Run, trainLoss: number, answers: Answers): Promise<void> {
  const { epoch, hooks, plan, state, testSplit } = run;
  const { loss: testLoss, accuracy: testAccuracy } = answers;
  const weights = await state.weights.data<'float32'>();
  const metrics = { epoch, trainLoss, testLoss, testAccuracy, seconds: epochSeconds(run) };
  await hooks.onEpoch(metrics, weights, summarise(plan.dataset, testSplit, answers));
}

async function tellPosition(run: Run): Promise<void> {
  const lossSum = (await run.lossSum.data())[0]!;
  const position = { ...(await readState(run.state)), epoch: run.epoch, lossSum };
  await run.hooks.onPosition({ ...position, epochSeconds: epochSeconds(run) });
  run.positionAt = performance.now();
}

function epochSeconds(run: Run): number {
  return (performance.now() - run.epochStartedAt) / 1000;
}

function epochOrder(plan: TrainPlan, epoch: number, count: number): Uint32Array {
  if (plan.shuffle) return permutation(randomFor(plan.seed, `shuffle epoch ${epoch}`), count);
  return Uint32Array.from({ length: count }, (_, index) => index);
}

function progressOf(run: Run, loss: number): Progress {
  const { plan, state, stepsPerEpoch, pace, epoch } = run;
  const steps = stepsPerEpoch * plan.epochs;
  const { imagesPerSecond, etaSeconds } = pace.estimate(epoch);
  const fraction = state.step / steps;
  return { epoch, epochs: plan.epochs, step: state.step, steps, fraction, loss, imagesPerSecond, etaSeconds };
}

function findFailure(run: Run, answers: Answers): TrainOutcome | null {
  if (!Number.isFinite(answers.loss)) return lossNotFinite(run.epoch, answers.loss);
  if (!isFixedAnswer(run, answers) || isWarmingUp(run)) return null;
  const constant = constantAnswerAccuracy(run.testSplit);
  const message =
    `after epoch ${run.epoch} the network is no better than one fixed answer: expected more than ` +
    `${percent(constant)} test accuracy, got ${percent(answers.accuracy)}; try a lower learningRate ` +
    `than ${run.plan.learningRate}, or another seed than ${run.plan.seed}`;
  return { status: 'failed', code: 'TRAINING_COLLAPSED', message };
}

function isFixedAnswer(run: Run, answers: Answers): boolean {
  return answers.accuracy <= constantAnswerAccuracy(run.testSplit);
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
