/** Handles outages of the worker's Redis: logs their begin and end, and pauses longer and longer between tries. */
import type { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { probeWrites } from '../redis/connect.ts';
import { asLoss } from '../redis/errors.ts';
import { createOutage, type Outage } from '../redis/outage.ts';
import type { WorkerTimings } from './options.ts';

/** Logs the outages of the worker's connection. */
export function watchRedis(redis: Redis, prefix: string, log: Logger): Outage {
  const outage = createOutage({
    probe: () => probeWrites(redis, prefix),
    onBegin: (error, refused) => {
      const [what, when] = refused ? ['refuses what it is asked', 'it can'] : ['is away', 'it is back'];
      log.warn({ error }, `Redis ${what}; a job that runs goes on and reports when ${when}`);
    },
    onEnd: (seconds) => log.warn(`Redis is back after ${seconds.toFixed(1)} s`),
  });
  redis.on('error', (error) => outage.failed('connection', asLoss(error)));
  redis.on('ready', () => outage.worked());
  return outage;
}

/**
 * Pauses the worker after an error, longer each time, until it has run for `withoutError` ms without one. By itself
 * BullMQ asks again at once when Redis refuses (up to 6,600 times a second). Returns a function that ends this.
 */
export function backOffOnErrors(
  worker: Worker,
  redis: Redis,
  outage: Outage,
  { firstRetry, longestRetry, withoutError }: WorkerTimings,
): () => void {
  let pauseMs = firstRetry;
  let timer: NodeJS.Timeout | undefined;
  const goOn = () => {
    void worker.resume();
    timer = setTimeout(() => {
      pauseMs = firstRetry;
      outage.worked('worker');
    }, withoutError);
  };
  worker.on('error', (error) => {
    // BullMQ itself waits for a connection, and reports a lost lock by another event.
    if (redis.status !== 'ready' || error.message.startsWith('could not renew lock')) return;
    outage.failed('worker', error);
    if (worker.isPaused() || worker.closing) return;
    void worker.pause(true); // the running job goes on
    clearTimeout(timer);
    timer = setTimeout(goOn, pauseMs);
    pauseMs = Math.min(2 * pauseMs, longestRetry);
  });
  return () => clearTimeout(timer);
}
