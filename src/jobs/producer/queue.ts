/**
 * The API's side of the queue: enqueue, read, list, cancel. Every call ends within its deadline. Without Redis it throws a
 * TrainyardError `REDIS_UNAVAILABLE`.
 */
import type { BaseAdapter } from '@bull-board/api/baseAdapter';
import type { Redis } from 'ioredis';
import { Queue } from '../bullmq.ts';
import { queueName, type ResolvedRequest, type TrainJob, type TrainJobData } from '../contract.ts';
import { type EventLog, readLog, tellEnding } from '../event-log.ts';
import type { JobMetrics } from '../events.ts';
import { viewJob } from '../job-view.ts';
import { connectProducer, probeWrites, reportConnection } from '../redis/connect.ts';
import { type Advice, reasonOf, refusalOf } from '../redis/errors.ts';
import { createOutage, type Outage, type ProbePauses } from '../redis/outage.ts';
import { defineScript } from '../redis/script.ts';
import { announceLine, cancelledKey, pruneCancelled } from '../waiting-order.ts';
import { readWorkers, type WorkerState } from '../worker-heartbeat.ts';
import { adaptForBoard } from './board-adapter.ts';
import { type EnqueueResult, enqueue, findQueued } from './enqueue.ts';
import { readMetrics } from './loss-curve.ts';
import { type CountOutcomes, createOutcomeCounter } from './outcome-counter.ts';
import { type Context, find, frozenSets, type ListOptions, list, readJob } from './read-jobs.ts';
import { createDeadline } from './redis-deadline.ts';

export type CancelResult =
  | { readonly outcome: 'requested' | 'finished'; readonly job: TrainJob }
  | { readonly outcome: 'unknown' };

export type QueueHealth = {
  readonly workers: readonly WorkerState[]; // those whose heartbeat is fresh
  /** Redis's `maxmemory-policy`; null when the Redis user may not run INFO. */
  readonly evictionPolicy: string | null;
  /** Why Redis refuses writes or another command; null when it refuses nothing. */
  readonly refusal: string | null;
};

/** The queue as Bull Board reads it. */
export type Board = {
  readonly adapter: BaseAdapter;
  /** Runs one of Bull Board's calls with the deadline of the queue's other calls. */
  readonly withDeadline: <T>(call: () => Promise<T>) => Promise<T>;
};

export type JobQueue = {
  /**
   * For a day, the same idempotency key gives the same job if the same is `asked` for, which leaves out the service's
   * own defaults; by default, the request. The job shows `datasetSha256`, of an imported data set.
   */
  enqueue(
    request: ResolvedRequest,
    idempotencyKey?: string,
    requestId?: string,
    asked?: unknown,
    datasetSha256?: string,
  ): Promise<EnqueueResult>;
  /** What enqueueing with a key would give, where that is settled already; null where the job has still to be added. */
  findQueued(idempotencyKey: string, asked: unknown): Promise<EnqueueResult | null>;
  find(id: string): Promise<TrainJob | null>;
  /** Newest first; `after` is the last id of the page before. */
  list(options: ListOptions): Promise<{ data: TrainJob[]; hasMore: boolean }>;
  /** The SHA-256 of the frozen corrections that jobs which have not ended train on. */
  frozenSets(): Promise<ReadonlySet<string>>;
  /** The JSON texts of up to `count` events of a job, from number `first` on (the first event is number 1). */
  events(id: string, first: number, count: number): Promise<string[]>;
  /** Whether a job goes on. If it has ended, its last event is written, unless its worker has written it. */
  settle(id: string): Promise<'open' | 'ended' | 'unknown'>;
  /** The loss curve of a job and its epochs; null when no job has the id. */
  metrics(id: string): Promise<JobMetrics | null>;
  readonly queueName: string;
  outcomes: CountOutcomes;
  /** A queued job ends at once, a running one when its worker reads the mark. */
  cancel(id: string): Promise<CancelResult>;
  health(): Promise<QueueHealth>;
  board(): Promise<Board>;
  /** Shared with this process's other connections to the same Redis. */
  readonly outage: Outage;
  close(): Promise<void>;
};

export type QueueOptions = {
  readonly redisUrl: string;
  readonly prefix?: string;
  /** Called when an outage begins or its cause changes: Redis is away, or it refuses a command (`refused`). */
  readonly onError: (error: Error, refused: boolean) => void;
  /** Called when Redis refuses a command that jobs and predictions do not need, such as SUBSCRIBE. */
  readonly onPartRefused?: (part: string, reason: string) => void;
  /** Called once when the outage ends. */
  readonly onRecovery?: (outageSeconds: number) => void;
  /** How long a call may take. The default of 800 ms leaves time to send an answer within a second. */
  readonly deadlineMs?: number;
  /** How often Redis is probed during an outage; by default after 250 ms, doubled up to 2 s. */
  readonly probePauses?: ProbePauses;
};

export function openQueue(options: QueueOptions): JobQueue {
  const { redisUrl, prefix = 'trainyard', deadlineMs = 800 } = options;
  const redis = connectProducer(redisUrl, deadlineMs);
  // BullMQ asks for the version once: if Redis goes away just then, that Queue would never work.
  const queue = new Queue<TrainJobData, null>(queueName, {
    connection: redis,
    prefix,
    skipVersionCheck: true,
  });
  const outage = openOutage(redis, prefix, options);
  reportConnection(redis, outage);
  queue.on('error', () => {}); // the same errors, or those of a call that fails
  const context = { queue, redis, prefix };
  const inTime = createDeadline(redis, outage, deadlineMs);
  const countOutcomes = createOutcomeCounter(context);
  return {
    enqueue: (request, key, requestId, asked = request, datasetSha256?: string) => {
      const progress = { isAdded: false };
      const order = orderOf(request, requestId, datasetSha256);
      return inTime(
        'enqueue',
        () => enqueue(context, order, progress, key === undefined ? undefined : { key, asked }),
        (error) => {
          if (refusalOf(error) !== null && !progress.isAdded) return notQueued;
          return key === undefined ? mayBeQueued : repeatWithKey;
        },
      );
    },
    findQueued: (key, asked) => inTime('find', () => findQueued(context, { key, asked }), tryAgain),
    find: (id) => inTime('find', () => find(context, id), tryAgain),
    list: (listOptions) => inTime('list', () => list(context, listOptions), tryAgain),
    frozenSets: () => inTime('list', () => frozenSets(context), tryAgain),
    events: (id, first, count) => inTime('events', () => readLog(logOf(context, id), first, count), tryAgain),
    settle: (id) => inTime('events', () => settle(context, id), tryAgain),
    metrics: (id) => inTime('loss curves', () => metrics(context, id), tryAgain),
    queueName,
    outcomes: (endedAtMost) => inTime('job metrics', () => countOutcomes(endedAtMost), tryAgain),
    cancel: (id) => {
      const progress = { isSent: false, isMarked: false };
      return inTime('cancel', () => cancel(context, id, progress), adviceOnCancel(progress));
    },
    health: () => inTime('health', () => readHealth(context, outage), tryAgain),
    board: async () => ({
      adapter: await adaptForBoard(queue),
      withDeadline: (call) => inTime('board', call, tryAgain),
    }),
    outage,
    close: async () => {
      outage.close();
      await queue.close();
      redis.disconnect();
    },
  };
}

function openOutage(redis: Redis, prefix: string, options: QueueOptions): Outage {
  const { onError, onRecovery, onPartRefused, probePauses } = options;
  return createOutage({
    probe: () => probeWrites(redis, prefix),
    onCause: (reason, refused) => onError(new Error(reason), refused),
    onEnd: (seconds) => onRecovery?.(seconds),
    optionalParts: ['live events', 'events', 'loss curves', 'job metrics', 'import metrics', 'board'],
    ...(onPartRefused && { onPartRefused }),
    ...(probePauses && { pauses: probePauses }),
  });
}

/** What a caller is told about a call that was sent and failed. */
const tryAgain: Advice = { next: 'try again' };
const repeatCancel: Advice = {
  outcome: 'the job may have been cancelled',
  next: 'try again, cancelling twice is fine',
};
const notCancelled: Advice = { outcome: 'the job was not cancelled', next: 'try again' };
const cancelTaken: Advice = { outcome: 'the cancel was accepted', next: 'look at the job again' };
const notQueued: Advice = { outcome: 'the job was not queued', next: 'try again' };
const repeatWithKey: Advice = {
  outcome: 'the job may have been queued',
  next: 'try again with the same Idempotency-Key, which queues it once',
};
const mayBeQueued: Advice = {
  outcome: 'the job may have been queued',
  next: 'look for it in GET /jobs before you try again, or send an Idempotency-Key with the next one',
};

function orderOf(request: ResolvedRequest, requestId: string | null = null, datasetSha256?: string) {
  return { request, requestId, ...(datasetSha256 !== undefined && { datasetSha256 }) };
}

async function readHealth({ redis, prefix }: Context, outage: Outage): Promise<QueueHealth> {
  const [workers, memory, refusal] = await Promise.all([
    readWorkers(redis, prefix),
    redis.info('memory'), // empty when it is not permitted; see `Connection` in connect.ts
    probeWrites(redis, prefix).then(() => outage.reason(), refusedWrite),
  ]);
  const [, policy = 'unknown'] = /maxmemory_policy:(\S+)/.exec(memory) ?? [];
  return { workers, evictionPolicy: memory === '' ? null : policy, refusal };
}

function refusedWrite(error: unknown): string {
  if (refusalOf(error) === null) throw error;
  return reasonOf(error);
}

function logOf({ queue, redis }: Context, id: string): EventLog {
  return { redis, key: queue.toKey(id) };
}

/** Sets the cancel mark of a job that has not ended, unless it is set: the first cancel counts. */
const markCancelled = defineScript(`
local job, cancelled = KEYS[1], KEYS[2]
if redis.call('EXISTS', job) == 0 or redis.call('HEXISTS', job, 'finishedOn') == 1 then return 0 end
if redis.call('HSETNX', job, 'cancelled', '1') == 0 then return 0 end
redis.call('HSET', job, 'data', ARGV[2])
redis.call('SADD', cancelled, ARGV[1])
return 1`);

type CancelProgress = { isSent: boolean; isMarked: boolean };

/** A call that only met its deadline goes on: Redis may still mark the job. */
function adviceOnCancel(progress: CancelProgress): (error: unknown) => Advice {
  return (error) => {
    if (progress.isMarked) return cancelTaken;
    const refusal = refusalOf(error);
    // Then Redis has run no write of the script: it is in no state for any, or its user may not run the script.
    const nothingRan = refusal === 'server' || reasonOf(error).startsWith('NOPERM');
    return refusal !== null && (nothingRan || !progress.isSent) ? notCancelled : repeatCancel;
  };
}

async function cancel(context: Context, id: string, progress: CancelProgress): Promise<CancelResult> {
  const { queue, redis } = context;
  const found = await readJob(context, id);
  if (!found) return { outcome: 'unknown' };
  const { data } = found.job;
  let isMarked = false;
  if (data.cancelRequestedAt === null) {
    const marked = JSON.stringify({ ...data, cancelRequestedAt: new Date().toISOString() });
    const keys = [queue.toKey(id), cancelledKey(queue)];
    progress.isSent = true;
    isMarked = (await markCancelled(redis, keys, [id, marked])) === 1;
    progress.isMarked = isMarked;
    await pruneCancelled(queue, redis);
  }
  const job = await find(context, id);
  if (!job) return { outcome: 'unknown' };
  // The worker appends the last event of a running job, and announces the new order.
  if (await tellEnding(logOf(context, id), job)) await announceLine(queue, redis);
  const finished = !isMarked && (found.state === 'completed' || found.state === 'failed');
  return { outcome: finished ? 'finished' : 'requested', job };
}

async function settle(context: Context, id: string): ReturnType<JobQueue['settle']> {
  const found = await readJob(context, id);
  if (!found) return 'unknown';
  return (await tellEnding(logOf(context, id), viewJob(found.job, found.state, []))) ? 'ended' : 'open';
}

async function metrics(context: Context, id: string): Promise<JobMetrics | null> {
  const found = await readJob(context, id);
  return found && readMetrics(logOf(context, id), viewJob(found.job, found.state, []));
}
