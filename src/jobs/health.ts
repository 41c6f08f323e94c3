/** What a queue needs: a Redis that writes and drops nothing, and workers. */
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Context } from './read.ts';
import { probeWrites } from './redis.ts';
import { isPermissionMissing, reasonOf, refusalOf } from './redis-errors.ts';
import type { Outage } from './redis-outage.ts';
import { readWorkers, type WorkerState } from './roster.ts';

export type QueueHealth = {
  readonly workers: readonly WorkerState[];
  /** Null: not known, the Redis user may not run INFO. */
  readonly evictionPolicy: string | null;
  /** Why Redis refuses to write, or something else that it is asked; null: it does not. */
  readonly refusal: string | null;
  /** Commands that the Redis user may not run, and without which the service runs all the same. */
  readonly missingPermissions: readonly string[];
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

export async function readHealth({ queue, redis, prefix }: Context, outage: Outage): Promise<QueueHealth> {
  const [announced, connected, evictionPolicy, refusal] = await Promise.all([
    readWorkers(redis, prefix),
    countConnected(queue),
    readEvictionPolicy(redis),
    probeWrites(redis, prefix).then(() => outage.reason(), refusedWrite),
  ]);
  // One that is frozen stays connected, one that was killed stays announced for a while: both are gone.
  const workers = announced.slice(0, connected ?? announced.length);
  const missingPermissions = [
    ...(evictionPolicy === null ? ['INFO'] : []),
    ...(connected === null ? ['CLIENT LIST'] : []),
  ];
  return { workers, evictionPolicy, refusal, missingPermissions };
}

/** Null: the Redis user may not ask. */
async function countConnected(queue: Queue): Promise<number | null> {
  try {
    return await queue.getWorkersCount();
  } catch (error) {
    if (isPermissionMissing(error)) return null;
    throw error;
  }
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
