/**
 * Connections to Redis. A producer answers requests, so it fails within a second; a consumer
 * waits for Redis for as long as it takes. Who opens a connection closes it.
 */
import { callbackify } from 'node:util';
import { Redis, type RedisOptions } from 'ioredis';
import { isPermissionMissing } from './errors.ts';

const reconnectDelay = (attempt: number) => Math.min(attempt * 100, 1000); // ms

/** For the API: no offline queue and no retries, so that a command without Redis fails at once. */
export function connectProducer(url: string): Redis {
  return new Connection(url, {
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
  return new Connection(url, { maxRetriesPerRequest: null, retryStrategy: reconnectDelay, socketTimeout });
}

/** For subscribers; subscriptions are taken up again when Redis is back. */
export function connectSubscriber(url: string): Redis {
  return new Connection(url, {
    maxRetriesPerRequest: null,
    retryStrategy: reconnectDelay,
    socketTimeout: 5000,
  });
}

/** Fails where Redis takes no writes. The key is gone a second later. */
export async function probeWrites(redis: Redis, prefix: string): Promise<void> {
  await redis.set(`${prefix}:probe`, '1', 'PX', 1000);
}

/** ioredis, but for two cases in which it would go on without a word, or with words of its own on the console. */
class Connection extends Redis {
  /** BullMQ makes its blocking connection this way. */
  override duplicate(override: Partial<RedisOptions> = {}): Redis {
    const WithOptions = Connection as unknown as new (options: RedisOptions) => Redis; // one of its overloads
    return new WithOptions({ ...this.options, ...override });
  }

  /** Without the database that was asked for, ioredis would use database 0. This connects again instead. */
  override select = (...args: Parameters<Redis['select']>) => {
    const selected = Redis.prototype.select.apply(this, args);
    selected.catch(() => this.disconnect(true));
    return selected;
  };

  /** Without the permission for INFO, nothing is known about the server; ioredis would warn on the console. */
  override info = ((...args: unknown[]) => {
    const callback = args.at(-1) as (error: unknown, text: string) => void;
    const sections = args.filter((arg) => typeof arg === 'string');
    const text = Redis.prototype.info.apply(this, sections as []).catch((error: unknown) => {
      if (isPermissionMissing(error)) return '';
      throw error;
    });
    if (typeof callback === 'function') callbackify(() => text)(callback);
    return text;
  }) as Redis['info'];
}
