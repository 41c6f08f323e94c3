/** Training runs of the tests: all that a run tells, and runs that are left and taken up again. */
import { train } from '../../../src/model/training/train.ts';
import type {
  EpochMetrics,
  Progress,
  RunPosition,
  TrainIntervals,
  TrainPlan,
} from '../../../src/model/training/training-run.ts';
import { mnist } from '../data/mnist.ts';

const never = new AbortController().signal;

export async function runTraining(
  plan: TrainPlan,
  signal = never,
  onProgress: (progress: Progress) => void = () => {},
  from: RunPosition | null = null,
  intervals: Partial<TrainIntervals> = {},
) {
  const progress: Progress[] = [];
  const epochs: EpochMetrics[] = [];
  let weights: Float32Array | null = null;
  let position: RunPosition | null = null;
  const hooks = {
    onProgress: (report: Progress) => {
      progress.push(report);
      onProgress(report);
    },
    onEpoch: async (metrics: EpochMetrics, current: Float32Array) => {
      epochs.push(metrics);
      weights = current.slice();
    },
    onPosition: async (current: RunPosition) => {
      position = current;
    },
  };
  const outcome = await train(plan, mnist, hooks, { ...intervals, signal, from });
  return { outcome, progress, epochs, weights: weights as Float32Array | null, position };
}

/** Stops after so many steps and evaluated batches, and goes on in a new run from what the old one has told last. */
export async function runWithBreaks(plan: TrainPlan, breaks: readonly number[]) {
  const metrics: ReturnType<typeof withoutTime>[] = [];
  let weights: Float32Array | null = null;
  let from: RunPosition | null = null;
  for (const turns of [...breaks, Number.POSITIVE_INFINITY]) {
    const run: Awaited<ReturnType<typeof runTraining>> = await runTraining(
      plan,
      abortedAfter(turns),
      () => {},
      from,
    );
    metrics.push(...run.epochs.map(withoutTime));
    weights = run.weights ?? weights;
    from = run.position && structuredClone(run.position);
  }
  return { weights, metrics };
}

/** Aborts when it has been asked so many times; a run asks after each step and each evaluated batch. */
function abortedAfter(turns: number): AbortSignal {
  const controller = new AbortController();
  const { signal } = controller;
  let left = turns;
  signal.throwIfAborted = () => {
    if (--left === 0) controller.abort();
    AbortSignal.prototype.throwIfAborted.call(signal);
  };
  return signal;
}

export function withoutTime({ epoch, trainLoss, testLoss, testAccuracy }: EpochMetrics) {
  return { epoch, trainLoss, testLoss, testAccuracy };
}
