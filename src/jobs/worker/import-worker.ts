/**
 * Takes imports off their queue, one at a time, beside the training job. An import that is cut off begins again with the
 * archive, which stays on disk until it has ended.
 */
import { constants } from 'node:os';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { messageOf, TrainyardError } from '../../lib/errors.ts';
import { exists, isCode } from '../../lib/files.ts';
import { listUploads, removeUpload, uploadPaths } from '../../model/data/import/uploads.ts';
import type { ReportSummary } from '../../model/data/imported/manifest.ts';
import { Job, UnrecoverableError, WaitingError } from '../bullmq.ts';
import { type ImportJobData, importQueueName } from '../import-contract.ts';
import { addToTotals } from '../import-totals.ts';
import { endOf, type ImportBullJob, tellImportEnding } from '../import-view.ts';
import { encodeFailure } from '../job-view.ts';
import type { Outage } from '../redis/outage.ts';
import { createImportReporter, type ImportReporter } from './import-reporter.ts';
import { type ImportResult, runImport } from './import-supervisor.ts';
import type { JobLocks } from './job-locks.ts';
import type { StopReason, WorkerTimings } from './options.ts';
import { crashesOf, openQueueWorker, type QueueWorker } from './queue-worker.ts';

type Importer = QueueWorker<ImportJobData, ReportSummary | null>;
type Parts = {
  readonly redis: Redis;
  readonly prefix: string;
  readonly dataDir: string;
  readonly log: Logger;
  readonly timings: WorkerTimings;
  readonly outage: Outage;
  readonly niceness?: number | undefined; // of the processes that import
};
type ImportsWorker = Importer['worker'];
type Context = Parts & { readonly worker: ImportsWorker; readonly locks: JobLocks };

export type ImportWorker = { readonly regainLocks: () => void; close(): Promise<void> };

const crashLimit = 3; // the next attempt would crash as well

export async function startImportWorker(parts: Parts): Promise<ImportWorker> {
  const opened: Importer = openQueueWorker(
    importQueueName,
    (job, token, signal) => processImport({ ...parts, ...opened }, job, token!, signal!),
    parts,
  );
  const { worker, regainLocks, stopBackingOff } = opened;
  const endings = new Set<Promise<void>>();
  const end = (job: ImportBullJob | undefined) => {
    if (!job?.finishedOn) return; // it is tried again
    const ending = finishUp(parts, worker, job.id!).finally(() => endings.delete(ending));
    endings.add(ending);
  };
  worker.on('completed', end).on('failed', end);
  await worker.waitUntilReady();
  await removeEnded(worker, parts.dataDir);
  return {
    regainLocks,
    close: async () => {
      stopBackingOff();
      const closed = worker.close(); // first, so that the worker does not take back the job that it hands over
      worker.cancelAllJobs('worker closes' satisfies StopReason);
      await closed;
      await Promise.all(endings);
    },
  };
}

/** If the last event can't be written, the API writes it; the archive is removed when a worker starts. */
async function finishUp(
  { redis, prefix, dataDir, outage, log }: Parts,
  worker: ImportsWorker,
  id: string,
): Promise<void> {
  const telling = async () => {
    const job: ImportBullJob | undefined = await Job.fromId(worker, id); // with the last report
    if (!job) return;
    await tellImportEnding({ redis, key: worker.toKey(id) }, job);
    await addToTotals(redis, prefix, endOf(job));
  };
  const removing = removeUpload(dataDir, id).catch((err: unknown) =>
    log.warn({ err }, `the archive of import ${id} is not removed yet`),
  );
  await Promise.all([telling().catch((error: unknown) => outage.failed('import metrics', error)), removing]);
}

/** Removes the archives of imports that ended together with their worker. */
async function removeEnded(worker: Context['worker'], dataDir: string): Promise<void> {
  for (const id of await listUploads(dataDir)) {
    const job: ImportBullJob | undefined = await Job.fromId(worker, id);
    if (job?.finishedOn) await removeUpload(dataDir, id);
  }
}

async function processImport(
  context: Context,
  job: ImportBullJob,
  token: string,
  signal: AbortSignal,
): Promise<ReportSummary> {
  const { worker, redis, dataDir, timings, outage, niceness = constants.priority.PRIORITY_LOW } = context;
  const { name } = job.data.request;
  const log = context.log.child({ importId: job.id, dataset: name, requestId: job.data.requestId });
  const { directory } = uploadPaths(dataDir, job.id!);
  const lock = context.locks.hold(job, token);
  const stopChecking = checkForRemoval(worker, job.id!, directory, timings.cancelCheck);
  const eventLog = { redis, key: worker.toKey(job.id!) };
  const target = { log: eventLog, token, attempt: job.attemptsStarted };
  const reporter = createImportReporter(target, log, outage, timings);
  try {
    if (!(await exists(directory))) throw cancelled();
    if (worker.closing) return await handBack(job, token);
    if (crashesOf(job) >= crashLimit) throw stuck('its worker was lost');
    log.info(`importing ${name}`);
    reporter.started();
    const order = { id: job.id!, dataDir, data: job.data };
    const result = await runImport(order, reporter.progress, signal, niceness);
    await lock.settle();
    await reporter.flush();
    if (result) return await finish(result, reporter, log);
    const reason = signal.reason as StopReason;
    if (reason === 'lock lost') throw new WaitingError(); // BullMQ then leaves the job alone
    if (reason === 'cancel requested') throw cancelled();
    return await handBack(job, token);
  } catch (error) {
    if (error instanceof TrainyardError) throw await asBullError(error, job, directory, log);
    throw error;
  } finally {
    stopChecking();
    lock.release();
  }
}

/** Stops an import whose directory was taken away: its data set was deleted. */
function checkForRemoval(
  worker: Context['worker'],
  id: string,
  directory: string,
  everyMs: number,
): () => void {
  const check = async () => {
    if (!(await exists(directory))) worker.cancelJob(id, 'cancel requested' satisfies StopReason);
  };
  const timer = setInterval(() => void check().catch(() => {}), everyMs); // the next check tries again
  return () => clearInterval(timer);
}

async function finish(result: ImportResult, reporter: ImportReporter, log: Logger): Promise<ReportSummary> {
  if (result.ok) {
    log.info({ pictures: result.report.accepted }, 'imported');
    return result.report;
  }
  const { code, message, report } = result;
  log.info({ code }, `not imported: ${message}`);
  reporter.report(report);
  await reporter.flush();
  throw new UnrecoverableError(encodeFailure(code, message));
}

/** Puts the job back at the head of the queue for the next worker; this counts as no failed attempt. */
async function handBack(job: ImportBullJob, token: string): Promise<never> {
  await job.moveToWait(token);
  throw new WaitingError();
}

function cancelled(): UnrecoverableError {
  return new UnrecoverableError(
    encodeFailure('CANCELLED', 'the data set was deleted before it was imported'),
  );
}

function stuck(how: string): UnrecoverableError {
  const message = `expected to import the archive, but ${crashLimit} attempts crashed, the last one since ${how}; please report it`;
  return new UnrecoverableError(encodeFailure('IMPORT_CRASHED', message));
}

/** What Redis is told. Full disks and crashes are worth another attempt; a fault would occur again. */
async function asBullError(
  error: TrainyardError,
  job: ImportBullJob,
  directory: string,
  log: Logger,
): Promise<Error> {
  if (!(await exists(directory))) return cancelled();
  log.error({ err: error }, 'attempt failed');
  const { code, message } = explain(error);
  const isWorthAnother = ['IMPORT_CRASHED', 'DISK_FULL', 'EMFILE'].includes(code);
  const isLast = crashesOf(job) + 1 >= crashLimit;
  if (isWorthAnother && isLast && code !== 'DISK_FULL') return stuck(error.message);
  const reason = encodeFailure(code === 'EMFILE' ? 'IMPORT_FAULT' : code, message);
  return isWorthAnother && !isLast ? new Error(reason) : new UnrecoverableError(reason);
}

/** What a user is told of an error. */
export function explain(error: TrainyardError): { readonly code: string; readonly message: string } {
  if (isCode(error, 'ENOSPC', 'EDQUOT')) {
    const message = `expected room in DATA_DIR for the import, the disk is full (${messageOf(error)}); free some, and send the archive again`;
    return { code: 'DISK_FULL', message };
  }
  const isOther = /^E[A-Z]+$/.test(error.code) && error.code !== 'EMFILE';
  return { code: isOther ? 'IMPORT_FAULT' : error.code, message: messageOf(error) };
}
