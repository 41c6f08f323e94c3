/**
 * The API's side of the queue: enqueue, read, list, cancel. Every call ends within a second; without
 * Redis by a TrainyardError `REDIS_UNAVAILABLE`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { validate as isUuid, v7 as uuidv7 } from 'uuid';
import { messageOf } from '../model/errors.ts';
import { sha256Of } from '../model/sha256.ts';
import {
  type JobStatus,
  queueName,
  type ResolvedRequest,
  type TrainJob,
  type TrainJobData,
} from './contract.ts';
import { type QueueCounts, type QueueHealth, readCounts, readHealth } from './health.ts';
import { connectProducer, createOutage, type Outage, redisUnavailable } from './redis.ts';
import { type BullJob, type BullState, viewJob } from './view.ts';

export type EnqueueResult =
  | { readonly outcome: 'queued' | 'existing'; readonly job: TrainJob }
  | { readonly outcome: 'conflict'; readonly jobId: string } // the key's job has another request
  | { readonly outcome: 'forgotten'; readonly jobId: string } // … has ended and is no longer kept
  | { readonly outcome: 'full'; readonly waiting: number }; // jobs

export type CancelResult =
  | { readonly outcome: 'requested' | 'finished'; readonly job: TrainJob }
  | { readonly outcome: 'unknown' };

export type ListOptions = { readonly status?: JobStatus; readonly limit: number; readonly after?: string };

export type JobQueue = {
  /** The same idempotency key with the same request gives the same job, for a day. */
  enqueue(request: ResolvedRequest, idempotencyKey?: string): Promise<EnqueueResult>;
  find(id: string): Promise<TrainJob | null>;
  /** Newest first; `after` is the last id of the page before. */
  list(options: ListOptions): Promise<{ data: TrainJob[]; hasMore: boolean }>;
  counts(): Promise<QueueCounts>;
  /** A queued job ends at once, a running one when its worker has heard of it. */
  cancel(id: string): Promise<CancelResult>;
  /** How many workers are connected and what they compute on, and whether Redis may drop keys when it is full. */
  health(): Promise<QueueHealth>;
  close(): Promise<void>;
};

type QueueOptions = {
  readonly redisUrl: string;
  readonly prefix?: string;
  /** Redis is gone: told once an outage, not at every try to reach it. */
  readonly onError: (error: Error) => void;
  /** Redis is back. */
  readonly onRecovery?: (outageSeconds: number) => void;
};

const answerWithinMs = 800; // leaves time for the rest of an answer within a second
const idempotencySeconds = 24 * 60 * 60;
const kept = { count: 1000 }; // finished jobs that stay readable
const maxWaiting = 1000; // jobs; each one's place in line is looked up among all of them
const waitingStates = ['waiting', 'prioritized', 'delayed'] as const;

type TrainQueue = Queue<TrainJobData, null>;
type Context = { readonly queue: TrainQueue; readonly redis: Redis; readonly prefix: string };

export function openQueue({ redisUrl, prefix = 'trainyard', onError, onRecovery }: QueueOptions): JobQueue {
  const redis = connectProducer(redisUrl);
  // BullMQ asks for the version once: if Redis goes away just then, that Queue would never work.
  const opening = { connection: redis, prefix, skipVersionCheck: true };
  const queue = new Queue<TrainJobData, null>(queueName, opening);
  const outage = createOutage(
    (reason) => onError(new Error(reason)),
    (seconds) => onRecovery?.(seconds),
  );
  redis.on('error', (error) => outage.begins(error.message));
  queue.on('error', (error) => outage.begins(error.message));
  redis.on('ready', () => outage.ends());
  const context = { queue, redis, prefix };
  const answer = createAnswer(redis, outage);
  return {
    enqueue: (request, key) =>
      answer(() => enqueue(context, request, key), key === undefined ? mayBeQueued : repeatWithKey),
    find: (id) => answer(() => find(context, id), tryAgain),
    list: (options) => answer(() => list(context, options), tryAgain),
    counts: () => answer(() => readCounts(queue), tryAgain),
    cancel: (id) => answer(() => cancel(context, id), repeatCancel),
    health: () => answer(() => readHealth(queue, redis, prefix), tryAgain),
    close: async () => {
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

/**
 * Runs a call on Redis with a time limit. The guard on the connection is needed since BullMQ would
 * wait for it without end; only the very first connection is waited for.
 */
function createAnswer(redis: Redis, outage: Outage) {
  let wasConnected = false;
  let firstWaitIsOver = false; // only calls of the first moment wait: they would pile up
  const connected = new Promise<void>((resolve) => {
    redis.once('ready', () => {
      wasConnected = true;
      resolve();
    });
  });
  return async <T>(call: () => Promise<T>, next: string): Promise<T> => {
    const waits = !wasConnected;
    let sent = false;
    const timer = new AbortController();
    const timeout = delay(answerWithinMs, undefined, { signal: timer.signal }).then(() => {
      firstWaitIsOver = true;
      throw new Error(`no answer in ${answerWithinMs} ms`);
    });
    timeout.catch(() => {}); // aborted when the call is done first
    const callWhenConnected = async () => {
      await connected;
      timer.signal.throwIfAborted(); // the answer was that this is not carried out
      sent = true;
      return call();
    };
    try {
      if ((wasConnected || firstWaitIsOver) && redis.status !== 'ready')
        throw new Error(`connection is "${redis.status}"`);
      const answer = await Promise.race([callWhenConnected(), timeout]);
      outage.ends();
      return answer;
    } catch (error) {
      if (isDefect(error)) throw error;
      if (!sent || !waits) outage.begins(messageOf(error)); // else the connection came, late for this call
      throw redisUnavailable(messageOf(error), sent ? next : 'nothing was done; try again', error);
    } finally {
      timer.abort();
    }
  };
}

/** Of this program: neither the connection, nor a Redis that is loading, full or read-only. */
function isDefect(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  const isRefusal = error.name === 'ReplyError' && error.message.startsWith('ERR ');
  return isRefusal || error instanceof TypeError || error instanceof RangeError;
}

async function enqueue(context: Context, request: ResolvedRequest, key?: string): Promise<EnqueueResult> {
  if (key !== undefined) return enqueueOnce(context, request, key);
  const job = await add(context, uuidv7(), request);
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
async function enqueueOnce(context: Context, request: ResolvedRequest, key: string): Promise<EnqueueResult> {
  const { redis, prefix } = context;
  const name = `${prefix}:idempotency:${sha256Of(key)}`;
  const body = sha256Of(JSON.stringify(request));
  const mine = `${uuidv7()} ${body}`;
  const claim = (await redis.eval(claimScript, 1, name, mine, idempotencySeconds)) as string;
  const [id, itsBody, added] = claim.split(' ') as [string, string, 'added'?];
  if (itsBody !== body) return { outcome: 'conflict', jobId: id };
  if (added) {
    const job = await find(context, id);
    return job ? { outcome: 'existing', job } : { outcome: 'forgotten', jobId: id };
  }
  const job = await add(context, id, request);
  if (!job) return full; // the key keeps its id for the next time
  await redis.set(name, `${id} ${body} added`, 'KEEPTTL', 'XX');
  return { outcome: claim === mine ? 'queued' : 'existing', job };
}

const full: EnqueueResult = { outcome: 'full', waiting: maxWaiting };

/**
 * Adding a known id changes nothing, so a call that timed out after it was carried out can be repeated.
 * Null when the line is too long.
 */
async function add(context: Context, id: string, request: ResolvedRequest): Promise<TrainJob | null> {
  const { queue } = context;
  const inLine = await queue.getJobCountByTypes(...waitingStates); // cancelled ones, too
  if (inLine >= maxWaiting && (await waitingOrder(queue)).length >= maxWaiting) return null;
  await queue.add('train', { request, cancelRequestedAt: null }, addOptions(id));
  const job = await find(context, id);
  if (!job) throw new Error(`job ${id} was added but can't be read back`);
  return job;
}

function addOptions(jobId: string) {
  const backoff = { type: 'fixed', delay: 200 }; // ms, after a crash of the trainer
  const attempts = Number.MAX_SAFE_INTEGER; // the worker knows when to give up
  return { jobId, attempts, backoff, removeOnComplete: kept, removeOnFail: kept };
}

async function find(context: Context, id: string): Promise<TrainJob | null> {
  const found = await readJob(context, id);
  if (!found) return null;
  const inLine = waitingStates.some((state) => state === found.state);
  return viewJob(found.job, found.state, inLine ? await waitingOrder(context.queue) : []);
}

/** A job and its state as they were at one moment; null for an id that no job has. */
async function readJob(context: Context, id: string): Promise<{ job: BullJob; state: BullState } | null> {
  const { queue } = context;
  if (!isUuid(id)) return null; // BullMQ keeps other things beside the jobs, `meta` for one
  for (;;) {
    const state = await queue.getJobState(id);
    const job = await queue.getJob(id);
    if (!job) return null;
    const isHeld = state !== 'active' || (await isLocked(context, id));
    if ((await queue.getJobState(id)) === state) return { job, state: isHeld ? state : 'waiting' };
  }
}

/** An active job whose lock has run out has lost its worker: it waits for one, whatever its set is called. */
async function isLocked({ queue, redis }: Context, id: string): Promise<boolean> {
  return (await redis.exists(`${queue.toKey(id)}:lock`)) === 1;
}

/** Ids of the jobs that will run, next first; one that waits for another attempt goes to the end. */
async function waitingOrder(queue: TrainQueue): Promise<string[]> {
  const waiting = await queue.getJobs(['waiting', 'delayed'], 0, -1, true);
  return waiting.filter((job) => job.data.cancelRequestedAt === null).map((job) => job.id!);
}

/** The BullMQ sets in which jobs of a status can lie. */
const statesOf = {
  queued: ['active', ...waitingStates],
  running: ['active'],
  succeeded: ['completed'],
  failed: ['failed'],
  cancelled: ['failed', 'active', ...waitingStates],
} as const satisfies Record<JobStatus, readonly string[]>;

const allStates = ['active', 'completed', 'failed', ...waitingStates] as const;

async function list(
  context: Context,
  { status, limit, after }: ListOptions,
): Promise<{ data: TrainJob[]; hasMore: boolean }> {
  const states = status === undefined ? allStates : statesOf[status];
  const ids = await context.queue.getRanges([...states], 0, -1);
  // Ids are UUIDs of version 7: their order is the order of creation.
  const candidates = [...new Set(ids)]
    .toSorted()
    .toReversed()
    .filter((id) => after === undefined || id < after);
  const order = await waitingOrder(context.queue);
  const view = async (id: string) => {
    const found = await readJob(context, id);
    return found && viewJob(found.job, found.state, order);
  };
  const data: TrainJob[] = [];
  const pageSize = Math.max(limit + 1, 100); // of a rare status there may be few among many
  for (let start = 0; start < candidates.length && data.length <= limit; start += pageSize) {
    const page = await Promise.all(candidates.slice(start, start + pageSize).map(view));
    data.push(
      ...page.filter((job) => job !== null).filter((job) => status === undefined || job.status === status),
    );
  }
  return { data: data.slice(0, limit), hasMore: data.length > limit };
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
  const finished = marked === 0 && hasEnded(found.state);
  return { outcome: finished ? 'finished' : 'requested', job };
}

const hasEnded = (state: BullState) => state === 'completed' || state === 'failed';
