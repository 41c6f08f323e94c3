/** Handles outages of the worker's Redis: logs their begin and end, and pauses longer and longer between tries. */
import type { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { probeWrites, reportConnection } from '../redis/connect.ts';
import { describePartRefused, remedyOf } from '../redis/errors.ts';
import { createOutage, type Outage } from '../redis/outage.ts';
import type { WorkerTimings } from './options.ts';

/** Logs the outages of the worker's connection; calls `onWorking` as soon as writes succeed again. */
export function watchRedis(redis: Redis, prefix: string, log: Logger, onWorking: () => void): Outage {
  const outage = createOutage({
    probe: () => probeWrites(redis, prefix),
    onCause: (error, refused) => {
      const [what, when] = refused ? ['refuses what it is asked', 'it can'] : ['is away', 'it is back'];
      const remedy = remedyOf(error);
      log.warn(
        { error },
        `Redis ${what}; a job that runs goes on and reports when ${when}${remedy ? `; ${remedy}` : ''}`,
      );
    },
    optionalParts: ['last event', 'places in line'],
    onPartRefused: (part, error) => log.warn({ error }, describePartRefused(part, error)),
    onWorking,
    onEnd: (seconds) => log.warn(`Redis is back after ${seconds.toFixed(1)} s`),
  });
  reportConnection(redis, outage);
  return outage;
}

/**
 * Pauses the worker after an error, longer each time, until it has run for `withoutError` ms without one. By itself
 * BullMQ asks again at once when Redis refuses (up to 6,600 times a second). The pause also goes on while
 * `beforeResume` fails. Returns a function that ends this.
 */
export function backOffOnErrors(
  worker: Worker,
  redis: Redis,
  outage: Outage,
  { firstRetry, longestRetry, withoutError }: WorkerTimings,
  beforeResume: () => Promise<void>,
): () => void {
  let pauseMs = firstRetry;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const pause = () => {
    clearTimeout(timer);
    if (isStopped) return;
    timer = setTimeout(() => void goOn(), pauseMs);
    pauseMs = Math.min(2 * pauseMs, longestRetry);
  };
  const goOn = async () => {
    try {
      await beforeResume();
    } catch (error) {
      outage.failed('worker', error);
      return pause();
    }
    if (isStopped) return;
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
    pause();
  });
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}
