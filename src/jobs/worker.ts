/** The worker: takes jobs off the queue one at a time, has each trained, and reports back to the queue. */
import { Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Logger } from 'pino';
import type { EnginePreference } from '../model/engine.ts';
import { messageOf, TrainyardError } from '../model/errors.ts';
import { reportEverySteps, type TrainOutcome } from '../model/train.ts';
import { queueName, type TrainJobData, type TrainJobReport } from './contract.ts';
import { connectConsumer } from './redis.ts';
import { runTrainer, type TrainerMessage, type TrainerOrder } from './trainer.ts';
import { type BullJob, droppedFailure, encodeFailure, reportOf } from './view.ts';

export type WorkerOptions = {
  readonly redisUrl: string;
  readonly prefix?: string;
  readonly dataDir: string;
  readonly engine: EnginePreference;
  readonly gitCommit: string | null;
  readonly log: Logger;
};

type TrainQueueWorker = Worker<TrainJobData, null>;
export type TrainWorker = { close(): Promise<void> };

const lockMs = 5000; // a worker that is gone is noticed after this long …
const stalledCheckMs = 2500; // … plus this
const cancelCheckMs = 400;
const cancelled = 'cancel requested'; // the three reasons for which a job's signal aborts
const closing = 'worker closes';
const lost = 'lock lost'; // after a while without Redis; the job is, or will be, another worker's
const reportMs = 250; // at most four reports a second go to Redis

export async function startWorker(options: WorkerOptions): Promise<TrainWorker> {
  const { redisUrl, prefix = 'trainyard', log } = options;
  const redis = connectConsumer(redisUrl);
  redis.on('error', (error) => log.warn({ error: error.message }, 'Redis connection'));
  const worker: TrainQueueWorker = new Worker<TrainJobData, null>(
    queueName,
    (job, token, signal) => processJob(options, worker, job, token!, signal!),
    {
      connection: redis,
      prefix,
      name: 'trainyard',
      lockDuration: lockMs,
      stalledInterval: stalledCheckMs,
      maxStalledCount: 3,
    },
  );
  worker.on('error', (error) => log.warn({ error: error.message }, 'worker'));
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) worker.cancelJob(id, lost);
  });
  await worker.waitUntilReady();
  return {
    close: async () => {
      const closed = worker.close(); // first, so that it takes no job back that it hands over
      worker.cancelAllJobs(closing);
      await closed;
      redis.disconnect();
    },
  };
}

async function processJob(
  options: WorkerOptions,
  worker: TrainQueueWorker,
  job: BullJob,
  token: string,
  signal: AbortSignal,
): Promise<null> {
  const log = options.log.child({ jobId: job.id });
  const report = createReporter(job, log, signal);
  const stopWatching = watchForCancel(worker, job);
  try {
    if (job.data.cancelRequestedAt !== null) throw new UnrecoverableError(droppedFailure);
    if (worker.closing) return await handBack(job, token); // it was on its way when close() was called
    const { dataDir, engine, gitCommit } = options;
    const order = { jobId: job.id!, request: job.data.request, dataDir, engine, gitCommit };
    const outcome = await trainAndReport(order, report, signal);
    log.info({ outcome }, 'job done');
    if (outcome.status === 'cancelled' && signal.reason === closing) return await handBack(job, token);
    if (signal.reason === lost) throw new WaitingError(); // leaves the job alone
    return finish(outcome);
  } catch (error) {
    throw error instanceof TrainyardError ? asBullError(error, log) : error;
  } finally {
    stopWatching();
  }
}

/** Whatever comes of the run, Redis has the last report before it hears of the end. */
async function trainAndReport(
  order: TrainerOrder,
  report: Reporter,
  signal: AbortSignal,
): Promise<TrainOutcome> {
  try {
    return await runTrainer(order, report.onMessage, signal);
  } finally {
    await report.flush();
  }
}

/** Puts the job back at the head of the queue for the next worker; this uses up no attempt. */
async function handBack(job: BullJob, token: string): Promise<never> {
  await job.moveToWait(token);
  throw new WaitingError();
}

/** Succeeds, or throws what makes BullMQ end the job for good. */
function finish(outcome: TrainOutcome): null {
  if (outcome.status === 'succeeded') return null;
  if (outcome.status === 'failed') throw new UnrecoverableError(encodeFailure(outcome.code, outcome.message));
  throw new UnrecoverableError(encodeFailure('CANCELLED', 'the job was cancelled while it ran'));
}

/** A crash is worth another attempt; a fault that the trainer could name will be there again. */
function asBullError(error: TrainyardError, log: Logger): Error {
  log.error({ code: error.code, error: error.message }, 'attempt failed');
  const reason = encodeFailure(error.code, error.message);
  return error.code === 'TRAINER_CRASHED' ? new Error(reason) : new UnrecoverableError(reason);
}

/** Reads the cancel mark from Redis while the job runs: one mechanism, whichever process set it and when. */
function watchForCancel(worker: TrainQueueWorker, job: BullJob): () => void {
  const look = async () => {
    const now: BullJob | undefined = await Job.fromId(worker, job.id!);
    if (now && now.data.cancelRequestedAt !== null) worker.cancelJob(job.id!, cancelled);
  };
  const timer = setInterval(() => void look().catch(() => {}), cancelCheckMs); // without Redis: next time
  return () => clearInterval(timer);
}

type Reporter = ReturnType<typeof createReporter>;

/** Gathers what the trainer tells into one report and writes the newest to Redis a few times a second. */
function createReporter(job: BullJob, log: Logger, signal: AbortSignal) {
  let report: TrainJobReport = { ...reportOf(job), epochs: [] };
  let writing = Promise.resolve();
  let timer: NodeJS.Timeout | null = null;

  const write = () => {
    timer = null;
    if (signal.reason === lost) return; // another worker reports now
    writing = writing
      .then(() => job.updateProgress({ ...report }))
      .catch((error: unknown) =>
        log.warn({ error: messageOf(error) }, 'report not written; the next one will be'),
      );
  };
  const change = (part: Partial<TrainJobReport>) => {
    report = { ...report, ...part };
    timer ??= setTimeout(write, reportMs);
  };
  return {
    onMessage: (message: TrainerMessage) => {
      logMessage(log, message);
      if (message.type === 'engine') change({ engine: message.engine });
      if (message.type === 'progress') change({ progress: message.progress });
      if (message.type === 'epoch') change({ epochs: [...report.epochs, message.epoch] });
    },
    flush: async () => {
      if (timer) {
        clearTimeout(timer);
        write();
      }
      await writing;
    },
  };
}

function logMessage(log: Logger, message: TrainerMessage): void {
  if (message.type === 'engine') {
    log.info({ engine: message.engine.name }, `training on ${message.engine.device}`);
    if (message.fallback) log.warn(message.fallback);
  }
  if (message.type === 'epoch') log.info(message.epoch, 'epoch done');
  if (message.type !== 'progress') return;
  const { epoch, step, steps, loss } = message.progress;
  if (step % reportEverySteps === 0) log.info({ epoch, step, steps, loss }, `step ${step}/${steps}`);
}
