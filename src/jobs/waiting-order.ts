/** The jobs that wait, in the order in which they will run. */
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { TrainJobData } from './contract.ts';
import { appendQueued } from './event-log.ts';

export type TrainQueue = Queue<TrainJobData, null>;

/** The BullMQ states of a job that no worker has taken. */
export const waitingStates = ['waiting', 'prioritized', 'delayed'] as const;

/** A Redis set: ids of the jobs that were cancelled and that BullMQ still holds as waiting or active. */
export const cancelledKey = (queue: TrainQueue) => queue.toKey('cancelled');

/** Ids of the jobs that will run, next first. A job that waits for another attempt comes last. Reads ids only. */
export async function waitingOrder(queue: TrainQueue, redis: Redis): Promise<string[]> {
  const [waiting, cancelled] = await Promise.all([
    queue.getRanges([...waitingStates], 0, -1, true),
    redis.smembers(cancelledKey(queue)),
  ]);
  const gone = new Set(cancelled);
  return waiting.filter((id) => !gone.has(id));
}

/** Removes the jobs that have ended from the set of cancelled jobs. */
export async function pruneCancelled(queue: TrainQueue, redis: Redis): Promise<void> {
  const cancelled = await redis.smembers(cancelledKey(queue)); // read first, so that `held` is newer
  const held = new Set(await queue.getRanges(['active', ...waitingStates], 0, -1));
  const ended = cancelled.filter((id) => !held.has(id));
  if (ended.length > 0) await redis.srem(cancelledKey(queue), ...ended);
}

const announced = 100; // jobs whose place is announced when it changes; further back it matters less

/** Appends each waiting job's new place to its events. Called by the process that changed the order. */
export async function announceLine(queue: TrainQueue, redis: Redis): Promise<void> {
  const at = await timeOf(redis); // before the order is read
  const ids = (await waitingOrder(queue, redis)).slice(0, announced);
  await Promise.all(ids.map((id, index) => appendQueued({ redis, key: queue.toKey(id) }, index + 1, at)));
}

/** The time by Redis's clock, which all processes share: of two announced places the later one counts. */
export async function timeOf(redis: Redis): Promise<string> {
  const [seconds, microseconds] = await redis.time();
  return new Date(1000 * Number(seconds) + Number(microseconds) / 1000).toISOString();
}
