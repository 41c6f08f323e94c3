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
    commandTimeout: 800,
    connectTimeout: 1000,
    maxRetriesPerRequest: 0,
    retryStrategy: reconnectDelay,
  });
}

/** For workers, whose blocking calls BullMQ wants to be retried for ever. */
export function connectConsumer(url: string): Redis {
  return new Redis(url, { maxRetriesPerRequest: null, retryStrategy: reconnectDelay });
}

export function redisUnavailable(reason: string, cause?: unknown): TrainyardError {
  const message = `expected Redis to answer within a second, got: ${reason}; the request may not have been carried out, try again`;
  return new TrainyardError('REDIS_UNAVAILABLE', message, { cause });
}
