/** What a queue needs besides Redis: workers, and a Redis that drops nothing. */
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { readDevices } from './roster.ts';

export type QueueHealth = {
  readonly workers: number;
  readonly devices: readonly string[]; // of those that have said so of late
  readonly evictionPolicy: string;
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

export async function readHealth(queue: Queue, redis: Redis, prefix: string): Promise<QueueHealth> {
  const [workers, devices, evictionPolicy] = await Promise.all([
    queue.getWorkersCount(),
    readDevices(redis, prefix),
    readEvictionPolicy(redis),
  ]);
  // One that is frozen stays connected, one that was killed stays announced for a while: both are gone.
  return { workers: Math.min(workers, devices.length), devices, evictionPolicy };
}

async function readEvictionPolicy(redis: Redis): Promise<string> {
  const memory = await redis.info('memory');
  return /maxmemory_policy:(\S+)/.exec(memory)?.[1] ?? 'unknown';
}
