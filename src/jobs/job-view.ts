/** A BullMQ job read as the contract's TrainJob. */
import type { Job } from 'bullmq';
import {
  emptyReport,
  type JobStatus,
  resolveRequest,
  type TrainJob,
  type TrainJobData,
  type TrainJobReport,
} from './contract.ts';

export type BullJob = Job<TrainJobData, null>;
export type BullState = Awaited<ReturnType<BullJob['getState']>>;

/** Failures travel through BullMQ as one string, `CODE: message`. */
export function encodeFailure(code: string, message: string): string {
  return `${code}: ${message}`;
}

/** How a job ends that a worker finds cancelled when it takes it off the line. */
export const droppedFailure = encodeFailure('DROPPED', 'the job was cancelled before it ran');

/** `waiting`: the ids of all jobs that will run, next first. */
export function viewJob(job: BullJob, state: BullState, waiting: readonly string[]): TrainJob {
  const report = reportOf(job);
  const error = failureOf(job, state);
  const status = statusOf(job, state, error);
  const cancelledAt = status === 'cancelled' ? job.data.cancelRequestedAt : null;
  const dropped = error?.code === 'DROPPED'; // it had ended before; being dropped changes nothing to see
  return {
    id: job.id!,
    status,
    request: resolveRequest(job.data.request), // queued by an earlier version, it may lack a value
    progress: status === 'succeeded' ? asEnded(report.progress) : report.progress,
    epochs: [...report.epochs],
    engine: report.engine,
    queuePosition: status === 'queued' ? waiting.indexOf(job.id!) + 1 || null : null,
    attempt: job.attemptsStarted - (dropped ? 1 : 0),
    resumedFromStep: report.resumedFromStep,
    modelVersion: report.epochs.at(-1)?.modelVersion ?? null,
    error: status === 'running' ? report.trouble : status === 'failed' ? error : null,
    createdAt: new Date(job.timestamp).toISOString(),
    startedAt: report.startedAt ?? (dropped ? null : isoOrNull(job.processedOn)),
    finishedAt: dropped ? cancelledAt : (isoOrNull(job.finishedOn) ?? cancelledAt),
  };
}

/** The last steps of a run may have been reported by nobody: its worker was frozen, or it went on from its very end. */
function asEnded(progress: TrainJob['progress']): TrainJob['progress'] {
  return (
    progress && { ...progress, epoch: progress.epochs, step: progress.steps, fraction: 1, etaSeconds: 0 }
  );
}

const cancelCodes: readonly (string | undefined)[] = ['CANCELLED', 'DROPPED'];

function statusOf(job: BullJob, state: BullState, error: TrainJob['error']): JobStatus {
  if (state === 'completed') return 'succeeded';
  if (state === 'failed') return cancelCodes.includes(error?.code) ? 'cancelled' : 'failed';
  if (state === 'active') return 'running';
  // A cancelled job stays in the waiting list until a worker drops it; it will never run.
  return job.data.cancelRequestedAt === null ? 'queued' : 'cancelled';
}

function failureOf(job: BullJob, state: BullState): TrainJob['error'] {
  if (state !== 'failed') return null;
  const reason = job.failedReason ?? '';
  const [, code, message] = /^([A-Z][A-Z_]+): (.*)$/s.exec(reason) ?? [];
  return code && message ? { code, message } : { code: 'TRAINER_CRASHED', message: reason };
}

/** What was reported last; BullMQ's own start is the newest attempt's, the report keeps the first. */
export function reportOf(job: BullJob): TrainJobReport {
  const report = job.progress; // BullMQ's 0 until the first report
  return typeof report === 'object' ? { ...emptyReport, ...report } : emptyReport;
}

function isoOrNull(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
