/**
 * Connections to Redis. A producer answers requests, so it fails within a second; a consumer
 * waits for Redis for as long as it takes. Who opens a connection closes it.
 */
import { Redis } from 'ioredis';
import { TrainyardError } from '../model/errors.ts';

const reconnectDelay = (attempt: number) => Math.min(attempt * 100, 1000); // ms

/** For the API: no offline queue and no retries, so that a command without Redis fails at once. */
export function connectProducer(url: string): Redis {
  return new Redis(url, {
    enableOfflineQueue: false,
    commandTimeout: 700,
    connectTimeout: 1000,
    socketTimeout: 2000, // a connection on which nothing comes back is replaced
    maxRetriesPerRequest: 0,
    retryStrategy: reconnectDelay,
  });
}

/** For workers, whose blocking calls BullMQ wants to be retried for ever. */
export function connectConsumer(url: string): Redis {
  const socketTimeout = 15_000; // ms; more than BullMQ's longest blocking call, 10 s
  return new Redis(url, { maxRetriesPerRequest: null, retryStrategy: reconnectDelay, socketTimeout });
}

/** For those that are told what is published; subscriptions are taken up again when Redis is back. */
export function connectSubscriber(url: string): Redis {
  return new Redis(url, { maxRetriesPerRequest: null, retryStrategy: reconnectDelay, socketTimeout: 5000 });
}

export type Outage = { begins(reason: string): void; ends(): void };

/** Tells once when Redis is gone and once when it is back, however often that is noticed in between. */
export function createOutage(onBegin: (reason: string) => void, onEnd: (seconds: number) => void): Outage {
  let since: number | null = null;
  return {
    begins: (reason) => {
      if (since !== null) return;
      since = performance.now();
      onBegin(reason);
    },
    ends: () => {
      if (since === null) return;
      const seconds = (performance.now() - since) / 1000;
      since = null;
      onEnd(seconds);
    },
  };
}

/** `next`: what the caller should know and do. */
export function redisUnavailable(reason: string, next: string, cause?: unknown): TrainyardError {
  const message = `expected Redis to answer within a second, got: ${reason}; ${next}`;
  return new TrainyardError('REDIS_UNAVAILABLE', message, { cause });
}
