/** How a worker gets through an outage of its Redis: one line at each end, and longer and longer pauses between tries. */
import type { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { probeWrites } from '../redis/connect.ts';
import { asLoss } from '../redis/errors.ts';
import { createOutage, type Outage } from '../redis/outage.ts';

const shortestPauseMs = 200; // after an error of the queue …
const longestPauseMs = 5000; // … doubled up to this …
const withoutErrorMs = 6000; // … until all loops of a worker have come round without one

/** The outages of a worker's connection, in its log. */
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
 * BullMQ's loop asks again at once when Redis refuses (up to 6,600 times a second). So the worker pauses after an error, for
 * longer each time, until it has gone on for a while without one. The function that it returns ends this.
 */
export function backOffOnErrors(worker: Worker, redis: Redis, outage: Outage): () => void {
  let pauseMs = shortestPauseMs;
  let timer: NodeJS.Timeout | undefined;
  const goOn = () => {
    void worker.resume();
    timer = setTimeout(() => {
      pauseMs = shortestPauseMs;
      outage.worked('worker');
    }, withoutErrorMs);
  };
  worker.on('error', (error) => {
    // BullMQ itself waits for a connection. The lock of a lost job has an event of its own.
    if (redis.status !== 'ready' || error.message.startsWith('could not renew lock')) return;
    outage.failed('worker', error);
    if (worker.isPaused() || worker.closing) return;
    void worker.pause(true); // a job that runs goes on
    clearTimeout(timer);
    timer = setTimeout(goOn, pauseMs);
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
  });
  return () => clearTimeout(timer);
}
