/** The worker: takes jobs off the queue one at a time, has each trained, and reports back to the queue. */
import { Job, Queue, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { TrainyardError } from '../../lib/errors.ts';
import type { EnginePreference } from '../../model/engines/engine.ts';
import { findResumePoint } from '../../model/training/resume-point.ts';
import type { TrainOutcome } from '../../model/training/train.ts';
import {
  removeWorkspace,
  workspaceAgeMs,
  workspaceDirectory,
  workspaces,
} from '../../model/training/workspace.ts';
import { queueName, type TrainJobData } from '../contract.ts';
import { tellEnding } from '../event-log.ts';
import { type BullJob, droppedFailure, encodeFailure, reportOf, viewJob } from '../job-view.ts';
import { connectConsumer } from '../redis/connect.ts';
import { isDefect } from '../redis/errors.ts';
import type { Outage } from '../redis/outage.ts';
import { announceLine, type TrainQueue } from '../waiting-order.ts';
import { announceWorker } from '../worker-heartbeat.ts';
import { backOffOnErrors, watchRedis } from './redis-outage.ts';
import { createReporter, type Reporter } from './reporter.ts';
import { runTrainer, type StopReason, type TrainerOrder } from './trainer-supervisor.ts';

export type WorkerOptions = {
  readonly redisUrl: string;
  readonly prefix?: string;
  readonly dataDir: string;
  readonly engine: EnginePreference;
  /** A job whose trainer finds no GPU goes back to the queue, and this worker takes no more. */
  readonly requireGpu: boolean;
  /** What a job's `engine.fallback` says when it is on the CPU: why it is not on the GPU that seems to be there. */
  readonly noGpu: string | null;
  /** What this worker computes on, for people. */
  readonly device: string;
  readonly gitCommit: string | null;
  readonly log: Logger;
};

type TrainQueueWorker = Worker<TrainJobData, null>;
type Context = WorkerOptions & {
  readonly worker: TrainQueueWorker;
  readonly queue: TrainQueue;
  readonly redis: Redis;
  readonly outage: Outage;
  readonly giveUp: (reason: TrainyardError) => void;
};
export type TrainWorker = {
  close(): Promise<void>;
  /** Rejects when this worker can't do what it is for, such as train on a GPU; its job has gone back to the queue. */
  readonly unfit: Promise<never>;
};

const lockMs = 5000; // a worker that is gone is noticed after this long …
const stalledCheckMs = 2500; // … plus this
const cancelCheckMs = 400;
const forgottenAfterMs = 7 * 24 * 3600 * 1000;
const crashLimit = 3; // without getting any further: the next attempt would crash as well

export async function startWorker(options: WorkerOptions): Promise<TrainWorker> {
  const { redisUrl, prefix = 'trainyard', dataDir, log } = options;
  const redis = connectConsumer(redisUrl);
  const outage = watchRedis(redis, prefix, log);
  let giveUp!: (reason: TrainyardError) => void;
  const unfit = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  unfit.catch(() => {}); // whoever waits for it hears of it
  const queue: TrainQueue = new Queue(queueName, { connection: redis, prefix, skipVersionCheck: true });
  queue.on('error', () => {}); // the connection tells of an outage
  const worker: TrainQueueWorker = new Worker<TrainJobData, null>(
    queueName,
    (job, token, signal) =>
      processJob({ ...options, worker, queue, redis, outage, giveUp }, job, token!, signal!),
    {
      connection: redis,
      prefix,
      name: 'trainyard',
      lockDuration: lockMs,
      stalledInterval: stalledCheckMs,
      maxStalledCount: Number.MAX_SAFE_INTEGER, // `crashLimit` decides
      skipVersionCheck: true, // it needs INFO, which a Redis user may lack; src/jobs/redis/check.ts has looked
    },
  );
  const stopBackingOff = backOffOnErrors(worker, redis, outage);
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) worker.cancelJob(id, 'lock lost' satisfies StopReason);
  });
  worker.on('stalled', () => void tellLine({ queue, redis, outage, log })); // it waits again
  const endings = followEndings({ ...options, worker, queue, redis, outage });
  await worker.waitUntilReady();
  await removeForgottenWorkspaces(worker, dataDir);
  const heartbeat = announceWorker(redis, prefix, options.device, outage);
  return {
    unfit,
    close: async () => {
      heartbeat.stop();
      stopBackingOff();
      outage.close();
      const closed = worker.close(); // first, so that it takes no job back that it hands over
      worker.cancelAllJobs('worker closes' satisfies StopReason);
      await closed;
      await endings.settled();
      await queue.close();
      redis.disconnect();
    },
  };
}

/** Looks after jobs that end; `settled` waits for those that have. */
function followEndings(context: Omit<Context, 'giveUp'>): { settled(): Promise<void> } {
  const { worker } = context;
  const endings = new Set<Promise<void>>();
  const onEnd = (state: 'completed' | 'failed') => (job: BullJob | undefined) => {
    if (!job?.finishedOn) return;
    const ending = endJob(context, job.id!, state)
      .catch((error: unknown) => noteFailure(context, 'endings', error))
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

/** Should this not come to pass, the API tells the end, and a worker removes the workspace when it starts. */
async function endJob(
  { queue, redis, dataDir }: Pick<Context, 'queue' | 'redis' | 'dataDir'>,
  id: string,
  state: 'completed' | 'failed',
): Promise<void> {
  const job: BullJob | undefined = await queue.getJob(id); // with the last report
  if (job) await tellEnding({ redis, key: queue.toKey(id) }, viewJob(job, state, []));
  await removeWorkspace(dataDir, id);
}

/** Those of jobs that ended just when their worker did. */
async function removeForgottenWorkspaces(worker: TrainQueueWorker, dataDir: string): Promise<void> {
  for (const id of await workspaces(dataDir)) {
    const job: BullJob | undefined = await Job.fromId(worker, id);
    // One that this Redis does not know may be another one's, unless it is old.
    const isOver = job ? job.finishedOn : (await workspaceAgeMs(dataDir, id)) > forgottenAfterMs;
    if (isOver) await removeWorkspace(dataDir, id);
  }
}

async function processJob(context: Context, job: BullJob, token: string, signal: AbortSignal): Promise<null> {
  const { worker, redis } = context;
  const { requestId } = job.data;
  const log = context.log.child({ jobId: job.id, ...(requestId && { requestId }) });
  const before = { ...reportOf(job), startedAt: viewJob(job, 'active', []).startedAt };
  const eventLog = { redis, key: worker.toKey(job.id!) };
  const target = { log: eventLog, token, attempt: job.attemptsStarted };
  const reporter = createReporter(target, before, log, context.outage);
  const stopWatching = watchForCancel(worker, job);
  try {
    void tellLine(context);
    if (job.data.cancelRequestedAt !== null) throw new UnrecoverableError(droppedFailure);
    if (worker.closing) return await handBack(context, job, token); // it was on its way when close() was called
    const crashes = crashesOf(job);
    if (await isStuck(context, job, crashes)) throw stuck('its worker was lost');
    const outcome = await trainAndReport(orderFor(context, job, crashes), reporter, signal);
    log.info({ outcome }, 'job done');
    const reason = signal.reason as StopReason | undefined;
    if (reason === 'lock lost') throw new WaitingError(); // leaves the job alone
    if (outcome.status === 'stopped' && reason !== 'cancel requested')
      return await handBack(context, job, token);
    return finish(outcome);
  } catch (error) {
    if (!(error instanceof TrainyardError)) throw error;
    if (error.code === 'GPU_REQUIRED') return await leaveToOthers(context, job, token, error);
    throw await asBullError(context, job, error, log);
  } finally {
    stopWatching();
  }
}

function orderFor(
  { dataDir, engine, requireGpu, noGpu, gitCommit }: Context,
  job: BullJob,
  crashes: number,
): TrainerOrder {
  const { request } = job.data;
  const [jobId, attempt] = [job.id!, job.attemptsStarted];
  return { jobId, attempt, crashes, request, dataDir, engine, requireGpu, noGpu, gitCommit };
}

/** Whatever comes of the run, Redis has the last report before it hears of the end. */
async function trainAndReport(
  order: TrainerOrder,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<TrainOutcome> {
  try {
    return await runTrainer(order, reporter.onMessage, signal);
  } finally {
    await reporter.flush();
  }
}

/** Puts the job back at the head of the queue for the next worker; this counts as no failed attempt. */
async function handBack(context: Context, job: BullJob, token: string): Promise<never> {
  await job.moveToWait(token);
  await tellLine(context);
  throw new WaitingError();
}

/** The job waits for a worker that is fit for it; this one takes no more. */
async function leaveToOthers(
  context: Context,
  job: BullJob,
  token: string,
  reason: TrainyardError,
): Promise<never> {
  void context.worker.close(); // first, so that it takes no job back that it hands over
  await job.moveToWait(token);
  await tellLine(context);
  context.giveUp(reason);
  throw new WaitingError();
}

/** Whoever waits hears of it next time, should this fail. */
async function tellLine(context: Pick<Context, 'queue' | 'redis' | 'outage' | 'log'>): Promise<void> {
  const { queue, redis } = context;
  await announceLine(queue, redis).catch((error: unknown) => noteFailure(context, 'places in line', error));
}

/** Trouble with Redis is told once an outage. */
function noteFailure({ outage, log }: Pick<Context, 'outage' | 'log'>, part: string, error: unknown): void {
  if (isDefect(error)) log.warn({ err: error }, part);
  else outage.failed(part, error);
}

/** Succeeds, or throws what makes BullMQ end the job for good. */
function finish(outcome: TrainOutcome): null {
  if (outcome.status === 'succeeded') return null;
  if (outcome.status === 'failed') throw new UnrecoverableError(encodeFailure(outcome.code, outcome.message));
  throw new UnrecoverableError(encodeFailure('CANCELLED', 'the job was cancelled while it ran'));
}

/** Attempts that ended in a crash: of the trainer, or of the worker and all. */
function crashesOf(job: BullJob): number {
  return job.attemptsMade + job.stalledCounter;
}

/** Whether the last few attempts all crashed before they came any further than the one before them. */
async function isStuck({ dataDir }: Context, job: BullJob, crashes: number): Promise<boolean> {
  if (crashes < crashLimit) return false; // whatever the resume point says
  const { point } = await findResumePoint(workspaceDirectory(dataDir, job.id!), job.data.request);
  return crashes - (point?.crashes ?? 0) >= crashLimit;
}

function stuck(how: string): UnrecoverableError {
  const message = `expected to get further, but ${crashLimit} attempts in a row crashed at the same point, the last one since ${how}`;
  return new UnrecoverableError(encodeFailure('TRAINER_CRASHED', message));
}

/** A crash, or a late start, is worth another attempt; a fault that the trainer could name will be there again. */
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

/** Reads the cancel mark from Redis while the job runs: one mechanism, whichever process set it and when. */
function watchForCancel(worker: TrainQueueWorker, job: BullJob): () => void {
  const look = async () => {
    const now: BullJob | undefined = await Job.fromId(worker, job.id!);
    if (now && now.data.cancelRequestedAt !== null)
      worker.cancelJob(job.id!, 'cancel requested' satisfies StopReason);
  };
  let looking = false; // without Redis one look waits for it; more of them would pile up
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void look()
      .catch(() => {}) // next time
      .finally(() => {
        looking = false;
      });
  }, cancelCheckMs);
  return () => clearInterval(timer);
}
