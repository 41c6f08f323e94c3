/** Converts a BullMQ job to the contract's TrainJob. */
import type { Job } from 'bullmq';
import {
  completed,
  emptyReport,
  type JobStatus,
  type TrainJob,
  type TrainJobData,
  type TrainJobReport,
} from './contract.ts';

export type BullJob = Job<TrainJobData, null>;
export type BullState = Awaited<ReturnType<BullJob['getState']>>;

/** A failure as the one string that BullMQ keeps: `CODE: message`. */
export function encodeFailure(code: string, message: string): string {
  return `${code}: ${message}`;
}

/** Reads it back. A text in another form is what BullMQ says of a process that ended: `crashed` is its code. */
export function decodeFailure(reason: string, crashed: string): { code: string; message: string } {
  const [, code, message] = /^([A-Z][A-Z_]+): (.*)$/s.exec(reason) ?? [];
  return code && message ? { code, message } : { code: crashed, message: reason };
}

/** The failure of a job that was cancelled while it waited, and that a worker then takes. */
export const droppedFailure = encodeFailure('DROPPED', 'the job was cancelled before it ran');

/** `waiting`: the ids of the jobs that will run, next first; needed only for `queuePosition`. */
export function viewJob(job: BullJob, state: BullState, waiting: readonly string[]): TrainJob {
  const report = reportOf(job);
  const error = failureOf(job, state);
  const status = statusOf(job, state, error);
  const cancelledAt = status === 'cancelled' ? job.data.cancelRequestedAt : null;
  const dropped = error?.code === 'DROPPED'; // it was cancelled before, so nothing visible changes
  return {
    id: job.id!,
    status,
    request: completed(job.data.request),
    ...(job.data.datasetSha256 !== undefined && { datasetSha256: job.data.datasetSha256 }),
    progress: status === 'succeeded' ? asEnded(report.progress) : report.progress,
    epochs: [...report.epochs],
    engine: report.engine,
    queuePosition: status === 'queued' ? waiting.indexOf(job.id!) + 1 || null : null,
    attempt: job.attemptsStarted - (dropped ? 1 : 0),
    resumedFromStep: report.resumedFromStep,
    modelVersion: report.epochs.at(-1)?.modelVersion ?? null,
    promotion: report.epochs.at(-1)?.promotion ?? null,
    error: status === 'running' ? report.trouble : status === 'failed' ? error : null,
    createdAt: new Date(job.timestamp).toISOString(),
    startedAt: report.startedAt ?? (dropped ? null : isoOrNull(job.processedOn)),
    finishedAt: dropped ? cancelledAt : (isoOrNull(job.finishedOn) ?? cancelledAt),
  };
}

/** The last steps of a run may not have been reported: its worker was frozen, or it resumed at the very end. */
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
  // A cancelled job stays in BullMQ's waiting list until a worker takes it and drops it.
  return job.data.cancelRequestedAt === null ? 'queued' : 'cancelled';
}

function failureOf(job: BullJob, state: BullState): TrainJob['error'] {
  return state === 'failed' ? decodeFailure(job.failedReason ?? '', 'TRAINER_CRASHED') : null;
}

/** The newest report of a job. Its `startedAt` is the first attempt's start; BullMQ keeps the newest attempt's. */
export function reportOf(job: BullJob): TrainJobReport {
  const report = job.progress; // BullMQ's 0 until the first report
  return typeof report === 'object' ? { ...emptyReport, ...report } : emptyReport;
}

function isoOrNull(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
