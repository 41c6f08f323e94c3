/**
 * The training loop: epochs of steps, an evaluation after each epoch, a checkpoint of each epoch worth keeping.
 * A run can stop at any step and resume from there: it ends with the same bytes as an uninterrupted run.
 */
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { CorrectionSet } from '../corrections/correction-set.ts';
import { onlyLabelled, withCorrections, withoutTestImages } from '../corrections/learn-corrections.ts';
import { type Batch, takeBatch, type Variation } from '../data/batch.ts';
import { type Dataset, type DatasetDescription, firstOf, type Split } from '../data/dataset.ts';
import { epochOrder, examplesOf } from '../data/epoch-order.ts';
import { splitForCalibration } from '../data/held-back.ts';
import { type DrawOutlier, outliersFor } from '../data/outliers/outliers.ts';
import { populationImages } from '../network/fold-batch-norm.ts';
import { buildNetwork, initialWeights, type Network } from '../network/network.ts';
import type { TrainState } from '../network/operations.ts';
import { disposeState, initialState, readState, restoreState, trainStep } from '../network/step.ts';
import * as tf from '../tfjs.ts';
import { type Calibration, calibrate } from './calibration.ts';
import { correctnessOf } from './correctness.ts';
import { type Answers, evaluate } from './evaluate.ts';
import { summarise } from './evaluation.ts';
import { findFailure, isConstantAnswer, lossNotFinite } from './failure.ts';
import { readLogits } from './logits.ts';
import { type CorrectionResults, countRight } from './measure-corrections.ts';
import { type PlainModel, plainModelOf } from './plain-model.ts';
import { createProgressThrottle } from './progress-throttle.ts';
import { learningRateAt } from './recipe.ts';
import { createThroughputMeter, type ThroughputMeter } from './throughput.ts';
import {
  type BestEpoch,
  defaultIntervals,
  type Progress,
  type TrainHooks,
  type TrainOptions,
  type TrainOutcome,
  type TrainPlan,
} from './training-run.ts';
import { variationOf } from './variation.ts';

const lossEverySteps = 100; // as the article prints its loss

/** The run in progress; each step replaces what changes. */
type Run = {
  readonly plan: TrainPlan;
  readonly dataset: DatasetDescription;
  readonly drawOutlier: DrawOutlier;
  readonly network: Network;
  readonly trainSplit: Split;
  readonly examples: Uint32Array; // positions of its images, as often as an epoch trains on each
  readonly testSplit: Split;
  readonly heldBack: Split; // training images for the calibration
  readonly corrections: CorrectionSet | null;
  readonly stepsPerEpoch: number;
  readonly hooks: TrainHooks;
  readonly signal: AbortSignal | undefined;
  readonly meter: ThroughputMeter;
  readonly isProgressDue: () => boolean;
  readonly resumePointMs: number;
  readonly stepPauseMs: number;
  state: TrainState;
  epoch: number;
  best: BestEpoch | null;
  lossSum: tf.Scalar; // stays on the device: reading it at each step would stall a GPU
  epochStartedAt: number; // ms; as if the epoch had not been interrupted
  positionAt: number; // ms, when the position was last handed out
};

/**
 * Trains to the end of the plan, until the run is not worth continuing (collapsed, loss not finite), or until
 * `signal` aborts.
 *
 * @throws whatever a hook throws
 */
export async function train(
  plan: TrainPlan,
  dataset: Dataset,
  hooks: TrainHooks,
  options: TrainOptions = {},
): Promise<TrainOutcome> {
  const run = startRun(plan, dataset, hooks, options);
  try {
    while (run.epoch <= plan.epochs && !learnsNoMore(run)) {
      const trainLoss = await trainEpoch(run);
      if (!Number.isFinite(trainLoss)) return lossNotFinite(run.epoch, trainLoss);
      const failure = await endEpoch(run, trainLoss);
      if (failure) return failure;
      startEpoch(run, run.epoch + 1);
      await handOutPosition(run);
    }
    return { status: 'succeeded' };
  } catch (error) {
    if (!run.signal?.aborted) throw error;
    await handOutPosition(run);
    return { status: 'stopped' };
  } finally {
    disposeState(run.state);
    run.lossSum.dispose();
  }
}

function startRun(plan: TrainPlan, dataset: Dataset, hooks: TrainHooks, options: TrainOptions): Run {
  const { progressMs, resumePointMs, stepPauseMs } = { ...defaultIntervals, ...options };
  const { signal, from = null } = options;
  const { train: _, test: __, ...description } = dataset;
  const network = buildNetwork(plan.network, dataset.labels.length);
  const { trainSplit: own, heldBack } = splitForCalibration(dataset.train, plan);
  const corrections = learnable(plan, options.corrections ?? null, dataset);
  const trainSplit = corrections ? withCorrections(own, corrections.train, plan.seed) : own;
  const testSplit = firstOf(dataset.test, plan.testImages);
  const examples = examplesOf(trainSplit, plan);
  const size = { epochs: plan.epochs, trainImages: examples.length, testImages: testSplit.count };
  return {
    plan,
    dataset: description,
    drawOutlier: outliersFor(dataset.labels),
    network,
    trainSplit,
    examples,
    testSplit,
    heldBack,
    corrections,
    stepsPerEpoch: Math.ceil(examples.length / plan.batchSize),
    hooks,
    signal,
    meter: createThroughputMeter(size),
    isProgressDue: createProgressThrottle(progressMs),
    resumePointMs,
    stepPauseMs,
    state: from ? restoreState(from) : initialState(initialWeights(network, plan.seed)),
    epoch: from?.epoch ?? 1,
    best: from?.best ?? null,
    lossSum: tf.scalar(from?.lossSum ?? 0),
    epochStartedAt: performance.now() - 1000 * (from?.epochSeconds ?? 0),
    positionAt: Number.NEGATIVE_INFINITY, // so the first step is saved: it shows that the attempt got further
  };
}

/** A network that has seen no outliers can't learn what is none of the labels. */
function learnable(
  { outliers }: TrainPlan,
  corrections: CorrectionSet | null,
  { test, labels }: Dataset,
): CorrectionSet | null {
  if (!corrections) return null;
  const others = withoutTestImages(corrections, test);
  return outliers === 0 ? onlyLabelled(others, labels.length) : others;
}

function startEpoch(run: Run, epoch: number): void {
  run.epoch = epoch;
  run.lossSum = replace(run.lossSum, tf.scalar(0));
  run.epochStartedAt = performance.now();
}

/** Trains to the end of the epoch. Returns the mean loss of its batches, or the first loss that is not finite. */
async function trainEpoch(run: Run): Promise<number> {
  const { plan, examples, stepsPerEpoch } = run;
  const order = epochOrder(examples, plan, run.epoch);
  const first = run.state.step - (run.epoch - 1) * stepsPerEpoch; // batch; 0 unless resumed
  run.meter.startEpoch(Math.min(first * plan.batchSize, examples.length));
  for (let index = first; index < stepsPerEpoch; index++) {
    const loss = oneStep(run, order, index);
    run.lossSum = replace(run.lossSum, run.lossSum.add<tf.Scalar>(loss));
    run.meter.count(Math.min(plan.batchSize, examples.length - index * plan.batchSize));
    const failed = await reportLoss(run, loss, index === stepsPerEpoch - 1);
    loss.dispose();
    if (failed !== null) return failed;
    await pause(run);
    run.signal?.throwIfAborted();
    if (performance.now() - run.positionAt > run.resumePointMs) await handOutPosition(run);
  }
  return (await run.lossSum.data())[0]! / stepsPerEpoch;
}

/** Lets an abort in, which ends the pause. */
async function pause({ stepPauseMs, signal }: Run): Promise<void> {
  if (stepPauseMs > 0) await delay(stepPauseMs, undefined, signal && { signal });
  else await nextTurn();
}

/** Reads and reports the loss where a report is due. Returns the loss if it is not finite, else null. */
async function reportLoss(run: Run, loss: tf.Scalar, isLastStep: boolean): Promise<number | null> {
  const isLossDue = run.state.step % lossEverySteps === 0;
  const isProgressDue = run.isProgressDue() || isLastStep;
  if (!isLossDue && !isProgressDue) return null;
  const value = (await loss.data())[0]!;
  if (!Number.isFinite(value)) return value;
  const progress = progressOf(run, value);
  if (isLossDue) run.hooks.onLoss?.(progress);
  if (isProgressDue) run.hooks.onProgress(progress);
  return null;
}

/** Takes one optimizer step on batch `index` of the epoch. Replaces the run's state and returns the loss. */
function oneStep(run: Run, order: Uint32Array, index: number): tf.Scalar {
  const { plan, network, trainSplit, stepsPerEpoch } = run;
  const batch = takeBatch(
    trainSplit,
    order,
    index * plan.batchSize,
    plan.batchSize,
    variationAt(run, `step ${run.state.step}`),
  );
  const learningRate = learningRateAt(plan, run.state.step, stepsPerEpoch * plan.epochs);
  const options = { learningRate, labelSmoothing: plan.labelSmoothing, rejects: plan.outliers > 0 };
  const { state, loss } = trainStep(network, run.state, batch, options);
  tf.dispose([batch.images, batch.labels]);
  disposeState(run.state);
  run.state = state;
  return loss;
}

function variationAt({ plan, dataset, drawOutlier }: Run, moment: string): Variation {
  return variationOf(plan, dataset, drawOutlier, moment);
}

/**
 * Batches as in an epoch, but of one that the run never trains on, for the moments of batch normalisation. The same after
 * each epoch and after a resume.
 */
function* populationOf(run: Run): Generator<Batch> {
  const { plan, examples, trainSplit } = run;
  const order = epochOrder(examples, plan, 0).subarray(0, populationImages);
  for (let start = 0; start < order.length; start += plan.batchSize)
    yield takeBatch(trainSplit, order, start, plan.batchSize, variationAt(run, `population ${start}`));
}

/** Evaluates the network and hands it out. Returns why the run is not worth going on with, or null. */
async function endEpoch(run: Run, trainLoss: number): Promise<ReturnType<typeof findFailure>> {
  const { plan, network, state, testSplit, signal } = run;
  const model = await plainModelOf(network, state.weights, () => populationOf(run), signal);
  try {
    const answers = await evaluate(model.network, model.weights, testSplit, signal);
    const failure = findFailure(run.epoch, testSplit, answers, isWarmingUp(run) ? null : plan);
    if (!failure) await handOutEpoch(run, model, trainLoss, answers);
    return failure;
  } finally {
    model.weights.dispose();
  }
}

/** Hands out the weights of an epoch, if they are worth keeping. */
async function handOutEpoch(run: Run, model: PlainModel, trainLoss: number, answers: Answers): Promise<void> {
  const { epoch, hooks, dataset, testSplit } = run;
  // During the warm-up a network may be no better than a constant answer, and is not worth keeping yet.
  if (isConstantAnswer(testSplit, answers)) return;
  const heldBack = await evaluateHeldBack(run, model);
  if (!noteBest(run, heldBack)) return;
  const { loss: testLoss, accuracy: testAccuracy } = answers;
  const weights = await model.weights.data<'float32'>();
  const calibration = heldBack && calibrate(heldBack.logits, run.heldBack.labels, run.plan.outliers > 0);
  const corrections = await measureCorrections(run, model, calibration);
  const metrics = { epoch, trainLoss, testLoss, testAccuracy, seconds: epochSeconds(run) };
  await hooks.onEpoch(metrics, weights, {
    evaluation: {
      ...summarise(dataset, testSplit, answers, calibration?.temperature),
      ...(corrections && { corrections }),
    },
    correctness: correctnessOf(testSplit.count, answers.predictions, testSplit.labels),
    ...(calibration && { calibration }),
  });
}

/** Null where nothing was held back. */
async function evaluateHeldBack({ heldBack, signal }: Run, model: PlainModel): Promise<Answers | null> {
  return heldBack.count === 0 ? null : evaluate(model.network, model.weights, heldBack, signal);
}

/** Returns whether the epoch is to be kept: with a `patience`, only one that is better than all before. */
function noteBest(run: Run, heldBack: Answers | null): boolean {
  if (run.plan.patience === null || heldBack === null) return true;
  const isBest = run.best === null || heldBack.loss < run.best.loss;
  if (isBest) run.best = { epoch: run.epoch, loss: heldBack.loss };
  return isBest;
}

/** Whether the run has waited long enough for a better epoch; `run.epoch` is the next one. */
function learnsNoMore({ plan: { patience }, best, epoch }: Run): boolean {
  return patience !== null && best !== null && epoch - 1 - best.epoch >= patience;
}

/** Null where none are trained on. */
async function measureCorrections(
  { corrections, signal }: Run,
  { network, weights }: PlainModel,
  calibration: Calibration | null,
): Promise<CorrectionResults | null> {
  if (!corrections) return null;
  const { sha256, train: trained, heldOut } = corrections;
  const logits = await readLogits(network, weights, heldOut, signal);
  const right = countRight(logits, heldOut.labels, calibration);
  return { sha256, trained: trained.count, heldOut: heldOut.count, right };
}

async function handOutPosition(run: Run): Promise<void> {
  const lossSum = (await run.lossSum.data())[0]!;
  const position = { ...(await readState(run.state)), epoch: run.epoch, best: run.best, lossSum };
  await run.hooks.onPosition({ ...position, epochSeconds: epochSeconds(run) });
  run.positionAt = performance.now();
}

function epochSeconds(run: Run): number {
  return (performance.now() - run.epochStartedAt) / 1000;
}

function progressOf(run: Run, loss: number): Progress {
  const { plan, state, stepsPerEpoch, meter, epoch } = run;
  const steps = stepsPerEpoch * plan.epochs;
  const { imagesPerSecond, etaSeconds } = meter.estimate(epoch);
  const fraction = state.step / steps;
  return { epoch, epochs: plan.epochs, step: state.step, steps, fraction, loss, imagesPerSecond, etaSeconds };
}

/** While the learning rate still rises, a long run may well have learnt nothing after its first epochs. */
function isWarmingUp({ plan, state, stepsPerEpoch }: Run): boolean {
  return plan.schedule === 'oneCycle' && state.step < plan.warmup * stepsPerEpoch * plan.epochs;
}

function replace(old: tf.Scalar, next: tf.Scalar): tf.Scalar {
  old.dispose();
  return next;
}
