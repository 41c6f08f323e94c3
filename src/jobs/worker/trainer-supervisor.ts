/**
 * The worker's side of a training run. It goes on in a process of its own (trainer-process), one a
 * job, so that a native crash or the out-of-memory killer ends one attempt and nothing else, and GPU
 * memory returns with its end.
 *
 * Not BullMQ's sandbox: that keeps its children for later jobs, fails a job over one progress write
 * that Redis did not take, and has no way to end a child that hears nothing.
 */
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { endChild, forkBeside } from '../../lib/child-process.ts';
import { TrainyardError } from '../../lib/errors.ts';
import { cudaEnvironment } from '../../model/device/libraries.ts';
import type { Engine, EnginePreference } from '../../model/engines/engine.ts';
import type { PublishedEpoch } from '../../model/training/resume-point.ts';
import type { Progress, TrainOutcome } from '../../model/training/train.ts';
import type { ResolvedRequest, TrainJob } from '../contract.ts';

/** Sent once, to start. */
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
};

/** What the trainer tells; an outcome or a fault is the last. */
export type TrainerMessage =
  | { readonly type: 'engine'; readonly engine: Engine }
  | {
      readonly type: 'resumed';
      readonly from: { readonly step: number; readonly published: readonly PublishedEpoch[] } | null;
      readonly warnings: readonly string[];
    }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'epoch'; readonly epoch: PublishedEpoch }
  | { readonly type: 'saved'; readonly step: number; readonly tensors: number }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'trouble'; readonly trouble: TrainJob['error'] }
  | { readonly type: 'outcome'; readonly outcome: TrainOutcome }
  | { readonly type: 'fault'; readonly code: string; readonly message: string };

/** Why a run is stopped → ms that its trainer has for the step under way and a last resume point. */
export const stopGraceMs = {
  'cancel requested': 1000, // 2 s in all, and it may take 0.4 s until the mark is read
  'worker closes': 1800,
  'lock lost': 1800, // after a while without Redis; the job is, or will be, another worker's
} as const;
export type StopReason = keyof typeof stopGraceMs;

/**
 * Runs one training to its outcome. Aborting `signal`, by a `StopReason`, asks the trainer to save where it
 * stands and to stop, and kills it when it has not done so in its time.
 *
 * @throws TrainyardError with the trainer's own code, or `TRAINER_CRASHED` when it ended without a word
 */
export async function runTrainer(
  order: TrainerOrder,
  onMessage: (message: TrainerMessage) => void,
  signal: AbortSignal,
): Promise<TrainOutcome> {
  const child = forkBeside(import.meta.url, 'trainer-process', { env: cudaEnvironment() });
  giveWay(child);
  const stop = () => void endChild(child, 'SIGTERM', stopGraceMs[signal.reason as StopReason]);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await followTrainer(child, order, onMessage);
  } catch (error) {
    if (signal.aborted) return { status: 'stopped' };
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await endChild(child, 'SIGKILL', 0); // it has said its last word
  }
}

/**
 * A training takes every core there is; whoever waits for an answer on this machine goes first. Where Linux groups
 * processes by session, a priority counts within the group alone, and the group has one of its own.
 */
function giveWay({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  const lowest = constants.priority.PRIORITY_LOW;
  try {
    setPriority(pid, lowest);
    writeFileSync(`/proc/${pid}/autogroup`, String(lowest));
  } catch {
    // No such file on this system, or the process has ended, which is told below: it competes as others do.
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
