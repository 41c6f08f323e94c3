/** The jobs that wait, in the order in which they will run. */
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { TrainJobData } from './contract.ts';
import { appendQueued } from './event-log.ts';

export type TrainQueue = Queue<TrainJobData, null>;

/** Ids of the jobs that will run, next first; one that waits for another attempt goes to the end. */
export async function waitingOrder(queue: TrainQueue): Promise<string[]> {
  const waiting = await queue.getJobs(['waiting', 'delayed'], 0, -1, true);
  return waiting.filter((job) => job.data.cancelRequestedAt === null).map((job) => job.id!);
}

const announced = 100; // places that are told anew; further back it matters less

/** Tells each waiting job its place, where that has changed; for whoever made the line move. */
export async function announceLine(queue: TrainQueue, redis: Redis): Promise<void> {
  const at = await timeOf(redis); // before it is looked
  const ids = (await waitingOrder(queue)).slice(0, announced);
  await Promise.all(ids.map((id, index) => appendQueued({ redis, key: queue.toKey(id) }, index + 1, at)));
}

/** By one clock, whichever process asks: of two places that were told, the newer one counts. */
export async function timeOf(redis: Redis): Promise<string> {
  const [seconds, microseconds] = await redis.time();
  return new Date(1000 * Number(seconds) + Number(microseconds) / 1000).toISOString();
}
