/** Adds jobs to the queue, once for each idempotency key. */
import { v7 as uuidv7 } from 'uuid';
import { sha256Of } from '../../lib/sha256.ts';
import type { TrainJob, TrainJobData } from '../contract.ts';
import { appendQueued, beginLog, type EventLog } from '../event-log.ts';
import { defineScript } from '../redis/script.ts';
import { timeOf, waitingOrder, waitingStates } from '../waiting-order.ts';
import { type Context, find } from './read-jobs.ts';

export type EnqueueResult =
  | { readonly outcome: 'queued' | 'existing'; readonly job: TrainJob }
  | { readonly outcome: 'conflict'; readonly jobId: string } // the key's job has another request
  | { readonly outcome: 'forgotten'; readonly jobId: string } // the key's job has ended and is no longer kept
  | { readonly outcome: 'full'; readonly waiting: number }; // jobs

type Order = Pick<TrainJobData, 'request' | 'datasetSha256' | 'requestId'>;

/** `asked`: a repeated call with the key has to ask for the same. */
export type IdempotencyKey = { readonly key: string; readonly asked: unknown };

const idempotencySeconds = 24 * 60 * 60;
const kept = { count: 1000 }; // finished jobs that stay readable
const maxWaiting = 1000; // jobs
const full: EnqueueResult = { outcome: 'full', waiting: maxWaiting };

/** Whether BullMQ has added the job, for a caller whose call failed. */
type EnqueueProgress = { isAdded: boolean };

export async function enqueue(
  context: Context,
  order: Order,
  progress: EnqueueProgress,
  key?: IdempotencyKey,
): Promise<EnqueueResult> {
  if (key !== undefined) return enqueueOnce(context, order, progress, key);
  const job = await add(context, uuidv7(), order, progress);
  return job ? { outcome: 'queued', job } : full;
}

/** Sets a key unless it is set, and returns its value. (SET with both NX and GET needs Redis 7.) */
const claimKey = defineScript(`
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2], 'NX')
return redis.call('GET', KEYS[1])`);

/**
 * The key holds the id of its job before the job is added, and a mark afterwards. So a repeated call adds the same id,
 * which changes nothing if the first call added it; and a job that has ended and is no longer kept does not run again.
 */
async function enqueueOnce(
  context: Context,
  order: Order,
  progress: EnqueueProgress,
  { key, asked }: IdempotencyKey,
): Promise<EnqueueResult> {
  const { redis } = context;
  const { name, body } = claimOf(context, { key, asked });
  const mine = `${uuidv7()} ${body}`;
  const claim = (await claimKey(redis, [name], [mine, idempotencySeconds])) as string;
  const [id, itsBody, added] = claim.split(' ') as Claim;
  progress.isAdded = claim !== mine; // an earlier call may have added it
  if (itsBody !== body) return { outcome: 'conflict', jobId: id };
  if (added) {
    const job = await find(context, id);
    return job ? { outcome: 'existing', job } : { outcome: 'forgotten', jobId: id };
  }
  const job = await add(context, id, order, progress);
  if (!job) return full; // the key keeps its id for the next call
  await redis.set(name, `${id} ${body} added`, 'KEEPTTL', 'XX');
  return { outcome: claim === mine ? 'queued' : 'existing', job };
}

/**
 * What enqueueing with this key would give, where that is settled already: an earlier call has added the job, or asked for
 * something else. Null where the job has still to be added.
 */
export async function findQueued(context: Context, key: IdempotencyKey): Promise<EnqueueResult | null> {
  const { name, body } = claimOf(context, key);
  const claim = await context.redis.get(name);
  if (claim === null) return null;
  const [id, itsBody, added] = claim.split(' ') as Claim;
  if (itsBody !== body) return { outcome: 'conflict', jobId: id };
  const job = await find(context, id);
  if (job) return { outcome: 'existing', job };
  return added ? { outcome: 'forgotten', jobId: id } : null;
}

/** What a key holds: the job's id, the checksum of what was asked for, and the mark. */
type Claim = [id: string, body: string, added?: 'added'];

function claimOf({ prefix }: Context, { key, asked }: IdempotencyKey): { name: string; body: string } {
  return { name: `${prefix}:idempotency:${sha256Of(key)}`, body: sha256Of(canonicalJson(asked)) };
}

/** JSON with the keys of each object in order, so that equal values give equal texts. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/**
 * Adds a job; null when too many wait. Adding a known id changes nothing, so a call that was carried out and then timed
 * out can be repeated.
 */
async function add(
  context: Context,
  id: string,
  order: Order,
  progress: EnqueueProgress,
): Promise<TrainJob | null> {
  const { queue, redis } = context;
  const waiting = await queue.getJobCountByTypes(...waitingStates); // cancelled ones included
  if (waiting >= maxWaiting && (await waitingOrder(queue, redis)).length >= maxWaiting) return null;
  const log: EventLog = { redis, key: queue.toKey(id) };
  const at = await timeOf(redis);
  await beginLog(log, { type: 'queued', at, position: waiting + 1 });
  await queue.add('train', { ...order, cancelRequestedAt: null }, addOptions(id));
  progress.isAdded = true;
  const job = await find(context, id);
  if (!job) throw new Error(`job ${id} was added but can't be read back`);
  if (job.queuePosition !== null) await appendQueued(log, job.queuePosition, at);
  return job;
}

function addOptions(jobId: string) {
  const backoff = { type: 'fixed', delay: 200 }; // ms, after a crash of the trainer
  const attempts = Number.MAX_SAFE_INTEGER; // the worker decides when to give up
  return { jobId, attempts, backoff, removeOnComplete: kept, removeOnFail: kept };
}
