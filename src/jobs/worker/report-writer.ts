/** Writes a job's reports and events to its log in Redis, for the worker that holds the job. */
import type { Logger } from 'pino';
import { appendReport, type EventLog, type LoggedEvent } from '../event-log.ts';
import type { Outage } from '../redis/outage.ts';
import type { WorkerTimings } from './options.ts';

const maxPending = 1000; // events

export type ReportWriter = {
  /** Replaces the job's report and adds events. */
  readonly write: (report: object, events: readonly LoggedEvent[]) => void;
  /** Resolves when Redis has everything, or has refused it once more. */
  readonly flush: () => Promise<void>;
};

export type ReportTarget = {
  readonly log: EventLog; // of the job
  readonly token: string; // of the job's lock
  readonly attempt: number; // from 1
};

export type Retries = Pick<WorkerTimings, 'firstRetry' | 'longestRetry'>;

/** Writes one report at a time, always the newest. */
export function createReportWriter(
  { log: eventLog, token, attempt }: ReportTarget,
  log: Logger,
  outage: Pick<Outage, 'failed' | 'worked'>,
  retries: Retries,
): ReportWriter {
  let report: object = {};
  let pending: readonly LoggedEvent[] = []; // not in Redis yet
  let writes = 0;

  const append = async () => {
    const events = pending;
    pending = [];
    // BullMQ keeps a token from job to job, and may give the same one to another attempt at this job.
    const mark = `${token} ${attempt} ${++writes}`;
    try {
      const result = await appendReport(eventLog, { token, mark, report, events });
      if (result === 'unlocked') throw new LockExpired();
      if (result === 'taken') log.warn('report not written: the job belongs to another worker by now');
      outage.worked('reports');
    } catch (error) {
      pending = bounded([...events, ...pending]);
      if (!(error instanceof LockExpired)) outage.failed('reports', error);
      throw error;
    }
  };
  const { request, flush } = createWriter(append, retries);
  return {
    write: (newest, events) => {
      report = newest;
      pending = bounded([...pending, ...events]);
      request();
    },
    flush,
  };
}

/** The report is written once the worker has regained the lock; see job-locks.ts. */
class LockExpired extends Error {}

/** Writes when requested, never twice at once; after a failure again, after a pause that doubles. */
function createWriter(write: () => Promise<void>, { firstRetry, longestRetry }: Retries) {
  let isDue = false;
  let writing: Promise<void> | null = null;
  let retryTimer: NodeJS.Timeout | null = null;
  let retryMs = firstRetry;

  const mayWrite = () => isDue && retryTimer === null;
  const writeNewest = async () => {
    isDue = false;
    try {
      await write();
      retryMs = firstRetry;
    } catch {
      isDue = true;
      retryTimer = setTimeout(retry, retryMs);
      retryMs = Math.min(2 * retryMs, longestRetry);
    }
  };
  const writeAll = async () => {
    while (mayWrite()) await writeNewest(); // also what was requested during the last write
    writing = null;
  };
  const start = () => {
    if (mayWrite()) writing ??= writeAll();
  };
  const stopRetrying = () => {
    if (retryTimer) clearTimeout(retryTimer);
    retryTimer = null;
  };
  const retry = () => {
    stopRetrying();
    start();
  };
  return {
    request: () => {
      isDue = true;
      start();
    },
    flush: async () => {
      await writing;
      retry();
      await writing;
      stopRetrying();
    },
  };
}

/** During a long outage of Redis, the progress events are dropped first. */
function bounded(events: readonly LoggedEvent[]): readonly LoggedEvent[] {
  return events.length <= maxPending ? events : events.filter(({ type }) => type !== 'progress');
}
