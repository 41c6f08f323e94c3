/** Converts a BullMQ job of the import queue to what the API shows and counts. */
import type { Job } from 'bullmq';
import { type ReportSummary, summaryOf } from '../model/data/imported/manifest.ts';
import { appendDone, type EventLog } from './event-log.ts';
import type { ImportJob, ImportJobData, ImportState } from './import-contract.ts';
import type { ImportEvent } from './import-events.ts';
import type { EndedImport, ImportStatus } from './import-totals.ts';
import { decodeFailure } from './job-view.ts';

/** It returns the report of the data set; an import that an earlier version ended has returned null. */
export type ImportBullJob = Job<ImportJobData, ReportSummary | null>;

/** Null for an import that has succeeded: the set is on disk, or was deleted. */
export function viewImportJob(job: ImportBullJob, bullState: string): ImportJob | null {
  if (bullState === 'completed' || bullState === 'unknown') return null;
  const isFailed = bullState === 'failed';
  return {
    ...stateOf(job),
    id: job.id!,
    status: isFailed ? 'failed' : 'importing',
    data: job.data,
    error: isFailed ? errorOf(job.failedReason) : null,
    createdAt: new Date(job.timestamp).toISOString(),
  };
}

/** What an import that has ended adds to the totals. */
export function endOf(job: ImportBullJob): EndedImport {
  const { pictures = 0, problems = 0 } = stateOf(job).progress ?? {};
  return { status: statusOf(job), read: pictures - problems, refused: problems };
}

/**
 * Appends the last event of an import that has ended; returns false while it goes on. Called by the first process that
 * notices the end (worker or API).
 */
export async function tellImportEnding(log: EventLog, job: ImportBullJob): Promise<boolean> {
  if (job.finishedOn === undefined) return false;
  await appendDone(log, doneEventOf(job, new Date(job.finishedOn)));
  return true;
}

function doneEventOf(job: ImportBullJob, at: Date): ImportEvent {
  const status = statusOf(job);
  if (status === 'cancelled') return cancelledAt(at);
  const { report } = stateOf(job); // of a refusal
  return {
    type: 'done',
    at: at.toISOString(),
    status,
    report: report ? summaryOf(report) : (job.returnvalue ?? null),
    error: status === 'failed' ? errorOf(job.failedReason) : null,
  };
}

/** The last event of an import whose data set was deleted before it was ready. */
export function cancelledAt(at: Date): ImportEvent {
  return { type: 'done', at: at.toISOString(), status: 'cancelled', report: null, error: null };
}

function stateOf({ progress }: ImportBullJob): ImportState {
  const state: Partial<ImportState> = typeof progress === 'object' ? progress : {}; // BullMQ's 0 at first
  return { progress: state.progress ?? null, report: state.report ?? null };
}

function statusOf({ failedReason }: ImportBullJob): ImportStatus {
  if (!failedReason) return 'succeeded';
  return failedReason.startsWith('CANCELLED:') ? 'cancelled' : 'failed';
}

function errorOf(reason = ''): { code: string; message: string } {
  return decodeFailure(reason, 'IMPORT_CRASHED');
}
