/**
 * Starts, follows and stops the trainer of a job. Each job has a trainer process of its own (trainer-process), so
 * that a native crash or the out-of-memory killer ends one attempt and nothing else, and GPU memory is freed when
 * the process ends.
 *
 * This is not BullMQ's sandbox, which keeps its children for later jobs, fails a job when Redis refuses one
 * progress write, and can't end a child that does not respond.
 */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { endChild, forkBeside } from '../../lib/child-process.ts';
import { TrainyardError } from '../../lib/errors.ts';
import { setNiceness } from '../../lib/niceness.ts';
import { cudaEnvironment } from '../../model/device/cuda-libraries.ts';
import type { Engine, EnginePreference } from '../../model/engines/engine.ts';
import type { PublishedEpoch } from '../../model/training/resume-point.ts';
import type { Progress, TrainIntervals, TrainOutcome } from '../../model/training/training-run.ts';
import type { ResolvedRequest, TrainJob } from '../contract.ts';
import type { StopReason, WorkerOptions, WorkerTimings } from './options.ts';

/** The one message to a trainer: what to train, and how. */
export type TrainerOrder = {
  readonly jobId: string;
  readonly attempt: number; // from 1
  readonly crashes: number; // of earlier attempts
  readonly request: ResolvedRequest;
  readonly dataDir: string;
  readonly engine: EnginePreference;
  readonly requireGpu: boolean;
  readonly noGpu: string | null;
  readonly gitCommit: string | null;
  readonly intervals: TrainIntervals;
  readonly diskRetryMs: number;
};

/** A message from a trainer; `outcome` or `fault` is the last one. */
export type TrainerMessage =
  | { readonly type: 'engine'; readonly engine: Engine }
  | {
      readonly type: 'resumed';
      readonly from: { readonly step: number; readonly published: readonly PublishedEpoch[] } | null;
      readonly warnings: readonly string[];
    }
  | { readonly type: 'progress' | 'loss'; readonly progress: Progress }
  | { readonly type: 'epoch'; readonly epoch: PublishedEpoch }
  | { readonly type: 'saved'; readonly step: number; readonly tensors: number }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'trouble'; readonly trouble: TrainJob['error'] }
  | { readonly type: 'outcome'; readonly outcome: TrainOutcome }
  | { readonly type: 'fault'; readonly code: string; readonly message: string };

type RunOptions = Pick<WorkerOptions, 'trainerNiceness'> & {
  readonly timings: Pick<WorkerTimings, 'stopGrace'>;
};

/**
 * Runs one training to its outcome. Aborting `signal` with a `StopReason` asks the trainer to save its position
 * and to stop; it is killed when it takes longer than its `stopGrace` (ms).
 *
 * @throws TrainyardError with the trainer's own code, or `TRAINER_CRASHED` when it ended without an outcome
 */
export async function runTrainer(
  order: TrainerOrder,
  onMessage: (message: TrainerMessage) => void,
  signal: AbortSignal,
  { timings, trainerNiceness = constants.priority.PRIORITY_LOW }: RunOptions,
): Promise<TrainOutcome> {
  const child = forkBeside(import.meta.url, 'trainer-process', { env: cudaEnvironment() });
  setNiceness(child, trainerNiceness);
  const stop = () => void endChild(child, 'SIGTERM', timings.stopGrace[signal.reason as StopReason]);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await followTrainer(child, order, onMessage);
  } catch (error) {
    if (signal.aborted) return { status: 'stopped' };
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await endChild(child, 'SIGKILL', 0); // nothing more is expected of it
  }
}

function followTrainer(
  child: ChildProcess,
  order: TrainerOrder,
  onMessage: (message: TrainerMessage) => void,
): Promise<TrainOutcome> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: TrainerMessage) => {
      if (message.type === 'outcome') resolve(message.outcome);
      else if (message.type === 'fault') reject(new TrainyardError(message.code, message.message));
      else onMessage(message);
    });
    child.on('exit', (code, signalName) => {
      const how = signalName ?? `exit code ${code}`;
      reject(
        new TrainyardError(
          'TRAINER_CRASHED',
          `expected the trainer to report an outcome, it ended by ${how}`,
        ),
      );
    });
    child.send(order, (error) => error && reject(error));
  });
}
