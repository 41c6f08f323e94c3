/** What a queue needs: a Redis that writes and drops nothing, and workers. */
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { probeWrites } from '../redis/connect.ts';
import { reasonOf, refusalOf } from '../redis/errors.ts';
import type { Outage } from '../redis/outage.ts';
import { readWorkers, type WorkerState } from '../worker-heartbeat.ts';
import type { Context } from './read-jobs.ts';

export type QueueHealth = {
  readonly workers: readonly WorkerState[]; // those whose heartbeat is fresh
  /** Null: not known, the Redis user may not run INFO. */
  readonly evictionPolicy: string | null;
  /** Why Redis refuses to write, or something else that it is asked; null: it does not. */
  readonly refusal: string | null;
};

/** Jobs by where BullMQ has them; those that were cancelled in line wait until a worker drops them. */
export type QueueCounts = Readonly<Record<'waiting' | 'active' | 'completed' | 'failed', number>>;

export async function readCounts(queue: Queue): Promise<QueueCounts> {
  const counts = await queue.getJobCounts(
    'waiting',
    'prioritized',
    'delayed',
    'active',
    'completed',
    'failed',
  );
  const { waiting = 0, prioritized = 0, delayed = 0, active = 0, completed = 0, failed = 0 } = counts;
  return { waiting: waiting + prioritized + delayed, active, completed, failed };
}

export async function readHealth({ redis, prefix }: Context, outage: Outage): Promise<QueueHealth> {
  const [workers, evictionPolicy, refusal] = await Promise.all([
    readWorkers(redis, prefix),
    readEvictionPolicy(redis),
    probeWrites(redis, prefix).then(() => outage.reason(), refusedWrite),
  ]);
  return { workers, evictionPolicy, refusal };
}

/** `Connection` in redis.ts has an empty text for who may not ask. */
async function readEvictionPolicy(redis: Redis): Promise<string | null> {
  const memory = await redis.info('memory');
  if (memory === '') return null;
  return /maxmemory_policy:(\S+)/.exec(memory)?.[1] ?? 'unknown';
}

function refusedWrite(error: unknown): string {
  if (refusalOf(error) === null) throw error;
  return reasonOf(error);
}
