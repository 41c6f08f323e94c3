/**
 * The API's side of the queue: enqueue, read, list, cancel. Every call ends within a second; without
 * Redis by a TrainyardError `REDIS_UNAVAILABLE`.
 */
import { Queue } from 'bullmq';
import { v7 as uuidv7 } from 'uuid';
import { sha256Of } from '../../lib/sha256.ts';
import { queueName, type ResolvedRequest, type TrainJob, type TrainJobData } from '../contract.ts';
import { tellEnding } from '../ending.ts';
import { appendQueued, beginLog, type EventLog, keepLog, readLog } from '../event-log.ts';
import type { JobMetrics } from '../events.ts';
import { type BullState, viewJob } from '../job-view.ts';
import { connectProducer, probeWrites } from '../redis/connect.ts';
import { asLoss } from '../redis/errors.ts';
import { createOutage, type Outage } from '../redis/outage.ts';
import { announceLine, timeOf, waitingOrder } from '../waiting-order.ts';
import { adaptForBoard, type Board } from './board.ts';
import { type QueueHealth, readHealth } from './health.ts';
import { readMetrics } from './loss-curve.ts';
import { createTally, type TakeTally } from './outcome-counter.ts';
import { type Context, find, type ListOptions, list, readJob, waitingStates } from './read-jobs.ts';
import { createAnswer } from './redis-deadline.ts';

export type EnqueueResult =
  | { readonly outcome: 'queued' | 'existing'; readonly job: TrainJob }
  | { readonly outcome: 'conflict'; readonly jobId: string } // the key's job has another request
  | { readonly outcome: 'forgotten'; readonly jobId: string } // … has ended and is no longer kept
  | { readonly outcome: 'full'; readonly waiting: number }; // jobs

export type CancelResult =
  | { readonly outcome: 'requested' | 'finished'; readonly job: TrainJob }
  | { readonly outcome: 'unknown' };

export type JobQueue = {
  /** The same idempotency key with the same request gives the same job, for a day. */
  enqueue(request: ResolvedRequest, idempotencyKey?: string, requestId?: string): Promise<EnqueueResult>;
  find(id: string): Promise<TrainJob | null>;
  /** Newest first; `after` is the last id of the page before. */
  list(options: ListOptions): Promise<{ data: TrainJob[]; hasMore: boolean }>;
  /** The JSON texts of up to `count` events of a job, from the one numbered `first` on (from 1). */
  events(id: string, first: number, count: number): Promise<string[]>;
  /** Whether a job goes on; one that has ended has a last event from then on, be its worker gone. */
  settle(id: string): Promise<'open' | 'ended' | 'unknown'>;
  /** The course of a job's run; null for an id that no job has. */
  metrics(id: string): Promise<JobMetrics | null>;
  tally: TakeTally;
  /** A queued job ends at once, a running one when its worker has heard of it. */
  cancel(id: string): Promise<CancelResult>;
  /** The workers, whether Redis takes writes, and whether it may drop keys when it is full. */
  health(): Promise<QueueHealth>;
  /** For Bull Board. */
  board(): Promise<Board>;
  /** For other connections of this process to the same Redis. */
  readonly outage: Outage;
  close(): Promise<void>;
};

type QueueOptions = {
  readonly redisUrl: string;
  readonly prefix?: string;
  /** Redis is away, or refuses what it is asked: told once an outage, not at every try. */
  readonly onError: (error: Error, refused: boolean) => void;
  /** Redis is back. */
  readonly onRecovery?: (outageSeconds: number) => void;
};

const idempotencySeconds = 24 * 60 * 60;
const kept = { count: 1000 }; // finished jobs that stay readable
const maxWaiting = 1000; // jobs; each one's place in line is looked up among all of them

export function openQueue({ redisUrl, prefix = 'trainyard', onError, onRecovery }: QueueOptions): JobQueue {
  const redis = connectProducer(redisUrl);
  // BullMQ asks for the version once: if Redis goes away just then, that Queue would never work.
  const opening = { connection: redis, prefix, skipVersionCheck: true };
  const queue = new Queue<TrainJobData, null>(queueName, opening);
  const outage = createOutage({
    probe: () => probeWrites(redis, prefix),
    onBegin: (reason, refused) => onError(new Error(reason), refused),
    onEnd: (seconds) => onRecovery?.(seconds),
  });
  redis.on('error', (error) => outage.failed('connection', asLoss(error)));
  queue.on('error', () => {}); // the same errors, or those of a call that fails
  redis.on('ready', () => outage.worked());
  const context = { queue, redis, prefix };
  const answer = createAnswer(redis, outage);
  const takeTally = createTally(queue, redis);
  return {
    enqueue: (request, key, requestId) =>
      answer(
        'enqueue',
        () => enqueue(context, { request, requestId: requestId ?? null }, key),
        key === undefined ? mayBeQueued : repeatWithKey,
      ),
    find: (id) => answer('find', () => find(context, id), tryAgain),
    list: (options) => answer('list', () => list(context, options), tryAgain),
    events: (id, first, count) => answer('events', () => readLog(logOf(context, id), first, count), tryAgain),
    settle: (id) => answer('settle', () => settle(context, id), tryAgain),
    metrics: (id) => answer('metrics', () => metrics(context, id), tryAgain),
    tally: (endedAtMost) => answer('tally', () => takeTally(endedAtMost), tryAgain),
    cancel: (id) => answer('cancel', () => cancel(context, id), repeatCancel),
    health: () => answer('health', () => readHealth(context, outage), tryAgain),
    board: async () => ({
      adapter: await adaptForBoard(queue),
      answer: (call) => answer('board', call, tryAgain),
    }),
    outage,
    close: async () => {
      outage.close();
      await queue.close();
      redis.disconnect();
    },
  };
}

/** What a caller is told about a call that was sent and not answered. */
const tryAgain = 'try again';
const repeatCancel = 'the job may have been cancelled; try again, cancelling twice is fine';
const repeatWithKey =
  'the job may have been queued; try again with the same Idempotency-Key, which queues it once';
const mayBeQueued =
  'the job may have been queued; look for it in GET /jobs before you try again, or send an Idempotency-Key with the next one';

type Order = Pick<TrainJobData, 'request' | 'requestId'>;

async function enqueue(context: Context, order: Order, key?: string): Promise<EnqueueResult> {
  if (key !== undefined) return enqueueOnce(context, order, key);
  const job = await add(context, uuidv7(), order);
  return job ? { outcome: 'queued', job } : full;
}

/** Gives the value that a name has, or gives it one: of two calls one is first. (SET NX GET needs Redis 7.) */
const claimScript = `
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2], 'NX')
return redis.call('GET', KEYS[1])
`;

/**
 * The key has its job's id before the job is added, and a mark when it has been. So whoever repeats a
 * call adds the same id, which changes nothing where the first call did; and a job that has ended and
 * is no longer kept is not run again.
 */
async function enqueueOnce(context: Context, order: Order, key: string): Promise<EnqueueResult> {
  const { redis, prefix } = context;
  const name = `${prefix}:idempotency:${sha256Of(key)}`;
  const body = sha256Of(JSON.stringify(order.request));
  const mine = `${uuidv7()} ${body}`;
  const claim = (await redis.eval(claimScript, 1, name, mine, idempotencySeconds)) as string;
  const [id, itsBody, added] = claim.split(' ') as [string, string, 'added'?];
  if (itsBody !== body) return { outcome: 'conflict', jobId: id };
  if (added) {
    const job = await find(context, id);
    return job ? { outcome: 'existing', job } : { outcome: 'forgotten', jobId: id };
  }
  const job = await add(context, id, order);
  if (!job) return full; // the key keeps its id for the next time
  await redis.set(name, `${id} ${body} added`, 'KEEPTTL', 'XX');
  return { outcome: claim === mine ? 'queued' : 'existing', job };
}

const full: EnqueueResult = { outcome: 'full', waiting: maxWaiting };

/**
 * Adding a known id changes nothing, so a call that timed out after it was carried out can be repeated.
 * Null when the line is too long.
 */
async function add(context: Context, id: string, order: Order): Promise<TrainJob | null> {
  const { queue } = context;
  const inLine = await queue.getJobCountByTypes(...waitingStates); // cancelled ones, too
  if (inLine >= maxWaiting && (await waitingOrder(queue)).length >= maxWaiting) return null;
  const log = logOf(context, id);
  const at = await timeOf(context.redis);
  await beginLog(log, { type: 'queued', at, position: inLine + 1 });
  await queue.add('train', { ...order, cancelRequestedAt: null }, addOptions(id));
  const [job] = await Promise.all([find(context, id), keepLog(log)]);
  if (!job) throw new Error(`job ${id} was added but can't be read back`);
  if (job.queuePosition !== null) await appendQueued(log, job.queuePosition, at); // without the cancelled ones
  return job;
}

function logOf({ queue, redis }: Context, id: string): EventLog {
  return { redis, key: queue.toKey(id) };
}

function addOptions(jobId: string) {
  const backoff = { type: 'fixed', delay: 200 }; // ms, after a crash of the trainer
  const attempts = Number.MAX_SAFE_INTEGER; // the worker knows when to give up
  return { jobId, attempts, backoff, removeOnComplete: kept, removeOnFail: kept };
}

/** Replaces a job's data if it is still as it was read, so that the first cancel stays the one that counts. */
const markScript = `
if redis.call('HGET', KEYS[1], 'data') ~= ARGV[1] then return 0 end
if redis.call('HEXISTS', KEYS[1], 'finishedOn') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'data', ARGV[2])
return 1
`;

async function cancel(context: Context, id: string): Promise<CancelResult> {
  const { queue, redis } = context;
  const found = await readJob(context, id);
  if (!found) return { outcome: 'unknown' };
  const { data } = found.job;
  let marked: unknown = 0;
  if (data.cancelRequestedAt === null) {
    const mark = JSON.stringify({ ...data, cancelRequestedAt: new Date().toISOString() });
    marked = await redis.eval(markScript, 1, queue.toKey(id), JSON.stringify(data), mark);
  }
  const job = await find(context, id);
  if (!job) return { outcome: 'unknown' };
  if (await tellEnding(logOf(context, id), job)) await announceLine(queue, redis); // else its worker tells
  const finished = marked === 0 && hasEnded(found.state);
  return { outcome: finished ? 'finished' : 'requested', job };
}

const hasEnded = (state: BullState) => state === 'completed' || state === 'failed';

async function settle(context: Context, id: string): Promise<'open' | 'ended' | 'unknown'> {
  const found = await readJob(context, id);
  if (!found) return 'unknown';
  return (await tellEnding(logOf(context, id), viewJob(found.job, found.state, []))) ? 'ended' : 'open';
}

async function metrics(context: Context, id: string): Promise<JobMetrics | null> {
  const found = await readJob(context, id);
  return found && readMetrics(logOf(context, id), viewJob(found.job, found.state, []));
}
