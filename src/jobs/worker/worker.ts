/** The worker: takes jobs off the queue one at a time, runs a trainer for each, and reports back to the queue. */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { TrainyardError } from '../../lib/errors.ts';
import { findResumePoint } from '../../model/training/resume-point.ts';
import type { TrainOutcome } from '../../model/training/training-run.ts';
import {
  removeWorkspace,
  workspaceAgeMs,
  workspaceDirectory,
  workspaces,
} from '../../model/training/workspace.ts';
import { Job, Queue, UnrecoverableError, WaitingError, type Worker } from '../bullmq.ts';
import { completed, planOf, queueName, type TrainJobData } from '../contract.ts';
import { tellEnding } from '../event-log.ts';
import { type BullJob, droppedFailure, encodeFailure, reportOf, viewJob } from '../job-view.ts';
import { connectConsumer } from '../redis/connect.ts';
import { isDefect } from '../redis/errors.ts';
import type { Outage } from '../redis/outage.ts';
import { announceLine, type TrainQueue } from '../waiting-order.ts';
import { announceWorker } from '../worker-heartbeat.ts';
import { checkForCancel } from './cancel-check.ts';
import { type ImportWorker, startImportWorker } from './import-worker.ts';
import type { HeldLock, JobLocks } from './job-locks.ts';
import { defaultTimings, type StopReason, type WorkerOptions, type WorkerTimings } from './options.ts';
import { crashesOf, openQueueWorker, type QueueWorker } from './queue-worker.ts';
import { watchRedis } from './redis-outage.ts';
import { createReporter, type Reporter } from './reporter.ts';
import { runTrainer, type TrainerOrder } from './trainer-supervisor.ts';

type TrainQueueWorker = Worker<TrainJobData, null>;
type Context = Omit<WorkerOptions, 'timings'> & {
  readonly timings: WorkerTimings;
  readonly worker: TrainQueueWorker;
  readonly queue: TrainQueue;
  readonly redis: Redis;
  readonly outage: Outage;
  readonly locks: JobLocks;
  readonly giveUp: (reason: TrainyardError) => void;
};
export type TrainWorker = {
  close(): Promise<void>;
  /** Rejects when this worker can't do its job, such as train on a GPU. The training job has gone back to the queue. */
  readonly unfit: Promise<never>;
};

const forgottenAfterMs = 7 * 24 * 3600 * 1000;
const crashLimit = 3; // in a row at the same place: the next attempt would crash as well

export async function startWorker(options: WorkerOptions): Promise<TrainWorker> {
  const { redisUrl, prefix = 'trainyard', dataDir, log } = options;
  const redis = connectConsumer(redisUrl);
  const timings = { ...defaultTimings, ...options.timings };
  let imports: ImportWorker | null = null; // until it has started
  const outage = watchRedis(redis, prefix, log, () => {
    regainLocks();
    imports?.regainLocks();
  });
  let giveUp!: (reason: TrainyardError) => void;
  const unfit = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  unfit.catch(() => {}); // the caller may not listen
  const queue: TrainQueue = new Queue(queueName, { connection: redis, prefix, skipVersionCheck: true });
  queue.on('error', () => {}); // the connection reports an outage
  const opened: QueueWorker<TrainJobData, null> = openQueueWorker<TrainJobData, null>(
    queueName,
    (job, token, signal) =>
      processJob({ ...options, ...opened, timings, queue, redis, outage, giveUp }, job, token!, signal!),
    { redis, prefix, timings, outage },
  );
  const { worker, regainLocks, stopBackingOff } = opened;
  worker.on('stalled', () => void publishPlaces({ queue, redis, outage, log })); // the job waits again
  const endings = followEndings({ ...options, worker, queue, redis, outage });
  await worker.waitUntilReady();
  await removeForgottenWorkspaces(worker, dataDir);
  const niceness = options.trainerNiceness;
  imports = await startImportWorker({ redis, prefix, dataDir, log, timings, outage, niceness });
  const heartbeat = announceWorker(redis, prefix, options.device, outage);
  return {
    unfit,
    close: async () => {
      heartbeat.stop();
      stopBackingOff();
      outage.close();
      const closed = worker.close(); // first, so that the worker does not take back the job that it hands over
      worker.cancelAllJobs('worker closes' satisfies StopReason);
      await Promise.all([closed, imports?.close()]);
      await endings.settled();
      await queue.close();
      redis.disconnect();
    },
  };
}

/** Finishes up after each job that ends; `settled` waits for the jobs that have ended so far. */
function followEndings(context: Omit<Context, 'giveUp' | 'timings' | 'locks'>): { settled(): Promise<void> } {
  const { worker } = context;
  const endings = new Set<Promise<void>>();
  const onEnd = (state: 'completed' | 'failed') => (job: BullJob | undefined) => {
    if (!job?.finishedOn) return;
    const ending = endJob(context, job.id!, state)
      .catch((error: unknown) => noteFailure(context, 'last event', error))
      .finally(() => endings.delete(ending));
    endings.add(ending);
  };
  worker.on('completed', onEnd('completed'));
  worker.on('failed', onEnd('failed'));
  return {
    settled: async () => {
      await Promise.all(endings);
    },
  };
}

/** If this fails, the API publishes the job's end, and a worker removes the workspace when it starts. */
async function endJob(
  { queue, redis, dataDir }: Pick<Context, 'queue' | 'redis' | 'dataDir'>,
  id: string,
  state: 'completed' | 'failed',
): Promise<void> {
  const job: BullJob | undefined = await queue.getJob(id); // with the last report
  if (job) await tellEnding({ redis, key: queue.toKey(id) }, viewJob(job, state, []));
  await removeWorkspace(dataDir, id);
}

/** Removes the workspaces of jobs that ended together with their worker. */
async function removeForgottenWorkspaces(worker: TrainQueueWorker, dataDir: string): Promise<void> {
  for (const id of await workspaces(dataDir)) {
    const job: BullJob | undefined = await Job.fromId(worker, id);
    // A job that this Redis does not know may belong to another Redis, unless its workspace is old.
    const isOver = job ? job.finishedOn : (await workspaceAgeMs(dataDir, id)) > forgottenAfterMs;
    if (isOver) await removeWorkspace(dataDir, id);
  }
}

async function processJob(context: Context, job: BullJob, token: string, signal: AbortSignal): Promise<null> {
  const { worker, redis, timings } = context;
  const { requestId } = job.data;
  const log = context.log.child({ jobId: job.id, ...(requestId && { requestId }) });
  const before = { ...reportOf(job), startedAt: viewJob(job, 'active', []).startedAt };
  const eventLog = { redis, key: worker.toKey(job.id!) };
  const target = { log: eventLog, token, attempt: job.attemptsStarted };
  const reporter = createReporter(target, before, log, context.outage, timings);
  const lock = context.locks.hold(job, token);
  const stopChecking = checkForCancel(worker, job, timings.cancelCheck);
  try {
    void publishPlaces(context);
    if (job.data.cancelRequestedAt !== null) throw new UnrecoverableError(droppedFailure);
    if (worker.closing) return await handBack(context, job, token); // the job was on its way when close() was called
    const crashes = crashesOf(job);
    if (await isStuck(context, job, crashes)) throw stuck('its worker was lost');
    const order = orderFor(context, job, crashes);
    const outcome = await trainAndReport(order, reporter, lock, signal, context);
    log.info({ outcome }, 'job done');
    const reason = signal.reason as StopReason | undefined;
    if (reason === 'lock lost') throw new WaitingError(); // BullMQ then leaves the job alone
    if (outcome.status === 'stopped' && reason !== 'cancel requested')
      return await handBack(context, job, token);
    return finish(outcome);
  } catch (error) {
    if (!(error instanceof TrainyardError)) throw error;
    if (error.code === 'GPU_REQUIRED') return await leaveToOthers(context, job, token, error);
    throw await asBullError(context, job, error, log);
  } finally {
    stopChecking();
    lock.release();
  }
}

function orderFor(
  { dataDir, engine, requireGpu, noGpu, gitCommit, timings }: Context,
  job: BullJob,
  crashes: number,
): TrainerOrder {
  const request = completed(job.data.request);
  const [jobId, attempt] = [job.id!, job.attemptsStarted];
  const { progressMs, resumePointMs, stepPauseMs, diskRetry: diskRetryMs } = timings;
  const intervals = { progressMs, resumePointMs, stepPauseMs };
  return {
    jobId,
    attempt,
    crashes,
    request,
    dataDir,
    engine,
    requireGpu,
    noGpu,
    gitCommit,
    intervals,
    diskRetryMs,
  };
}

/** However the run ends, Redis gets the last report before it learns of the end. */
async function trainAndReport(
  order: TrainerOrder,
  reporter: Reporter,
  lock: HeldLock,
  signal: AbortSignal,
  context: Context,
): Promise<TrainOutcome> {
  try {
    return await runTrainer(order, reporter.onMessage, signal, context);
  } finally {
    await lock.settle();
    await reporter.flush();
  }
}

/** Puts the job back at the head of the queue for the next worker; this counts as no failed attempt. */
async function handBack(context: Context, job: BullJob, token: string): Promise<never> {
  await job.moveToWait(token);
  await publishPlaces(context);
  throw new WaitingError();
}

/** Leaves the job to a worker that can run it; this worker takes no more jobs. */
async function leaveToOthers(
  context: Context,
  job: BullJob,
  token: string,
  reason: TrainyardError,
): Promise<never> {
  void context.worker.close(); // first, so that the worker does not take back the job that it hands over
  await job.moveToWait(token);
  await publishPlaces(context);
  context.giveUp(reason);
  throw new WaitingError();
}

/** Publishes the waiting jobs' places. If this fails, the next change publishes them. */
async function publishPlaces(context: Pick<Context, 'queue' | 'redis' | 'outage' | 'log'>): Promise<void> {
  const { queue, redis } = context;
  await announceLine(queue, redis).catch((error: unknown) => noteFailure(context, 'places in line', error));
}

/** Logs a defect; an error of Redis goes to the outage, which logs once. */
function noteFailure({ outage, log }: Pick<Context, 'outage' | 'log'>, part: string, error: unknown): void {
  if (isDefect(error)) log.warn({ err: error }, part);
  else outage.failed(part, error);
}

/** Returns when the job has succeeded; otherwise throws the error that makes BullMQ end the job for good. */
function finish(outcome: TrainOutcome): null {
  if (outcome.status === 'succeeded') return null;
  if (outcome.status === 'failed') throw new UnrecoverableError(encodeFailure(outcome.code, outcome.message));
  throw new UnrecoverableError(encodeFailure('CANCELLED', 'the job was cancelled while it ran'));
}

/** Whether the last `crashLimit` attempts all crashed before they got past the newest resume point. */
async function isStuck({ dataDir }: Context, job: BullJob, crashes: number): Promise<boolean> {
  if (crashes < crashLimit) return false; // no need to read the resume point
  const { point } = await findResumePoint(
    workspaceDirectory(dataDir, job.id!),
    planOf(completed(job.data.request)),
  );
  return crashes - (point?.crashes ?? 0) >= crashLimit;
}

function stuck(how: string): UnrecoverableError {
  const message = `expected to get further, but ${crashLimit} attempts in a row crashed at the same point, the last one since ${how}`;
  return new UnrecoverableError(encodeFailure('TRAINER_CRASHED', message));
}

/** A crash or a fenced attempt is worth another attempt; a fault that the trainer could name would occur again. */
async function asBullError(
  context: Context,
  job: BullJob,
  error: TrainyardError,
  log: Logger,
): Promise<Error> {
  log.error({ err: error }, 'attempt failed');
  const reason = encodeFailure(error.code, error.message);
  if (error.code === 'FENCED') return new Error(reason);
  if (error.code !== 'TRAINER_CRASHED') return new UnrecoverableError(reason);
  return (await isStuck(context, job, crashesOf(job) + 1)) ? stuck(error.message) : new Error(reason);
}
