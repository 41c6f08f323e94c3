/**
 * The API's side of the queue: enqueue, read, list, cancel. Every call ends within a second; without
 * Redis by a TrainyardError `REDIS_UNAVAILABLE`.
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { validate as isUuid, v7 as uuidv7 } from 'uuid';
import { messageOf, TrainyardError } from '../model/errors.ts';
import {
  type JobStatus,
  queueName,
  type ResolvedRequest,
  type TrainJob,
  type TrainJobData,
} from './contract.ts';
import { connectProducer, redisUnavailable } from './redis.ts';
import { type BullJob, type BullState, viewJob } from './view.ts';

export type EnqueueResult =
  | { readonly outcome: 'queued' | 'existing'; readonly job: TrainJob }
  | { readonly outcome: 'conflict'; readonly jobId: string };

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
  /** A queued job ends at once, a running one when its worker has heard of it. */
  cancel(id: string): Promise<CancelResult>;
  /** How many workers are connected, and whether Redis may drop keys when it is full. */
  health(): Promise<{ workers: number; evictionPolicy: string }>;
  close(): Promise<void>;
};

type QueueOptions = {
  readonly redisUrl: string;
  readonly prefix?: string;
  readonly onError: (error: Error) => void;
};

const answerWithinMs = 900;
const idempotencySeconds = 24 * 60 * 60;
const kept = { count: 1000 }; // finished jobs that stay readable
const waitingStates = ['waiting', 'prioritized', 'delayed'] as const;

type TrainQueue = Queue<TrainJobData, null>;
type Context = { readonly queue: TrainQueue; readonly redis: Redis; readonly prefix: string };

export function openQueue({ redisUrl, prefix = 'trainyard', onError }: QueueOptions): JobQueue {
  const redis = connectProducer(redisUrl);
  const queue = new Queue<TrainJobData, null>(queueName, { connection: redis, prefix });
  redis.on('error', onError);
  queue.on('error', onError);
  const context = { queue, redis, prefix };
  const answer = createAnswer(redis);
  return {
    enqueue: (request, key) => answer(() => enqueue(context, request, key)),
    find: (id) => answer(() => find(queue, id)),
    list: (options) => answer(() => list(queue, options)),
    cancel: (id) => answer(() => cancel(queue, id)),
    health: () => answer(() => health(context)),
    close: async () => {
      await queue.close();
      redis.disconnect();
    },
  };
}

/**
 * Runs a call on Redis with a time limit. The guard on the connection is needed since BullMQ would
 * wait for it without end; only the very first connection is waited for.
 */
function createAnswer(redis: Redis) {
  let wasConnected = false;
  const connected = new Promise<void>((resolve) => {
    redis.once('ready', () => {
      wasConnected = true;
      resolve();
    });
  });
  return async <T>(call: () => Promise<T>): Promise<T> => {
    if (wasConnected && redis.status !== 'ready') throw redisUnavailable(`connection is "${redis.status}"`);
    const timer = new AbortController();
    const timeout = delay(answerWithinMs, undefined, { signal: timer.signal }).then(() => {
      throw redisUnavailable(`no answer in ${answerWithinMs} ms`);
    });
    timeout.catch(() => {}); // aborted when the call is done first
    const callWhenConnected = async () => {
      await connected;
      timer.signal.throwIfAborted(); // the answer was that this is not carried out
      return call();
    };
    try {
      return await Promise.race([callWhenConnected(), timeout]);
    } catch (error) {
      throw error instanceof TrainyardError ? error : redisUnavailable(messageOf(error), error);
    } finally {
      timer.abort();
    }
  };
}

async function enqueue(context: Context, request: ResolvedRequest, key?: string): Promise<EnqueueResult> {
  const claim = key === undefined ? { id: uuidv7(), fresh: true } : await claimId(context, key, request);
  if ('conflict' in claim) return { outcome: 'conflict', jobId: claim.conflict };
  // Adding a known id changes nothing, so a call that timed out after it was carried out can be repeated.
  await context.queue.add('train', { request, cancelRequestedAt: null }, addOptions(claim.id));
  const job = await find(context.queue, claim.id);
  if (!job) throw redisUnavailable(`job ${claim.id} was added but can't be read back`);
  return { outcome: claim.fresh ? 'queued' : 'existing', job };
}

function addOptions(jobId: string) {
  const backoff = { type: 'fixed', delay: 200 }; // ms, after a crash of the trainer
  const attempts = Number.MAX_SAFE_INTEGER; // the worker knows when to give up
  return { jobId, attempts, backoff, removeOnComplete: kept, removeOnFail: kept };
}

type Claim = { id: string; fresh: boolean } | { conflict: string };

/** The job id that belongs to an idempotency key: one SET NX, so that of two equal calls one is first. */
async function claimId({ redis, prefix }: Context, key: string, request: ResolvedRequest): Promise<Claim> {
  const body = sha256(JSON.stringify(request));
  const mine = `${uuidv7()} ${body}`;
  const name = `${prefix}:idempotency:${sha256(key)}`;
  const earlier = await redis.set(name, mine, 'EX', idempotencySeconds, 'NX', 'GET');
  const [id, earlierBody] = (earlier ?? mine).split(' ') as [string, string];
  return earlierBody === body ? { id, fresh: earlier === null } : { conflict: id };
}

async function find(queue: TrainQueue, id: string): Promise<TrainJob | null> {
  const found = await readJob(queue, id);
  if (!found) return null;
  const inLine = waitingStates.some((state) => state === found.state);
  return viewJob(found.job, found.state, inLine ? await waitingOrder(queue) : []);
}

/** A job and its state as they were at one moment; null for an id that no job has. */
async function readJob(queue: TrainQueue, id: string): Promise<{ job: BullJob; state: BullState } | null> {
  if (!isUuid(id)) return null; // BullMQ keeps other things beside the jobs, `meta` for one
  for (;;) {
    const state = await queue.getJobState(id);
    const job = await queue.getJob(id);
    if (!job) return null;
    if ((await queue.getJobState(id)) === state) return { job, state };
  }
}

/** Ids of the jobs that will run, next first; one that waits for another attempt goes to the end. */
async function waitingOrder(queue: TrainQueue): Promise<string[]> {
  const waiting = await queue.getJobs(['waiting', 'delayed'], 0, -1, true);
  return waiting.filter((job) => job.data.cancelRequestedAt === null).map((job) => job.id!);
}

/** The BullMQ sets in which jobs of a status can lie. */
const statesOf = {
  queued: waitingStates,
  running: ['active'],
  succeeded: ['completed'],
  failed: ['failed'],
  cancelled: ['failed', ...waitingStates],
} as const satisfies Record<JobStatus, readonly string[]>;

const allStates = ['active', 'completed', 'failed', ...waitingStates] as const;

async function list(
  queue: TrainQueue,
  { status, limit, after }: ListOptions,
): Promise<{ data: TrainJob[]; hasMore: boolean }> {
  const states = status === undefined ? allStates : statesOf[status];
  const ids = await queue.getRanges([...states], 0, -1);
  // Ids are UUIDs of version 7: their order is the order of creation.
  const candidates = [...new Set(ids)]
    .toSorted()
    .toReversed()
    .filter((id) => after === undefined || id < after);
  const order = await waitingOrder(queue);
  const view = async (id: string) => {
    const found = await readJob(queue, id);
    return found && viewJob(found.job, found.state, order);
  };
  const data: TrainJob[] = [];
  for (let start = 0; start < candidates.length && data.length <= limit; start += limit + 1) {
    const page = await Promise.all(candidates.slice(start, start + limit + 1).map(view));
    data.push(
      ...page.filter((job) => job !== null).filter((job) => status === undefined || job.status === status),
    );
  }
  return { data: data.slice(0, limit), hasMore: data.length > limit };
}

async function cancel(queue: TrainQueue, id: string): Promise<CancelResult> {
  const found = await readJob(queue, id);
  if (!found) return { outcome: 'unknown' };
  const { job, state } = found;
  const finished = state === 'completed' || state === 'failed';
  if (!finished && job.data.cancelRequestedAt === null) {
    await job.updateData({ ...job.data, cancelRequestedAt: new Date().toISOString() });
  }
  const view = await find(queue, id);
  return view ? { outcome: finished ? 'finished' : 'requested', job: view } : { outcome: 'unknown' };
}

async function health({ queue, redis }: Context): Promise<{ workers: number; evictionPolicy: string }> {
  const [workers, policy] = await Promise.all([queue.getWorkersCount(), readEvictionPolicy(redis)]);
  return { workers, evictionPolicy: policy };
}

async function readEvictionPolicy(redis: Redis): Promise<string> {
  const memory = await redis.info('memory');
  return /maxmemory_policy:(\S+)/.exec(memory)?.[1] ?? 'unknown';
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
