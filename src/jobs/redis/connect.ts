/**
 * Connections to Redis. A producer answers requests, so its commands fail before a deadline; a consumer waits for Redis
 * as long as it takes. The caller closes the connection.
 */
import { once } from 'node:events';
import { connect as openSocket } from 'node:net';
import { callbackify } from 'node:util';
import { Redis, type RedisOptions } from '../../lib/ioredis.ts';
import { asLoss, isPermissionMissing } from './errors.ts';
import type { Outage } from './outage.ts';

const reconnectDelay = (attempt: number) => Math.min(attempt * 100, 1000); // ms
const patient = { maxRetriesPerRequest: null, retryStrategy: reconnectDelay };

/** For the API: no offline queue and no retries, so that a command without a connection fails at once. */
export function connectProducer(url: string, deadlineMs: number): Redis {
  return new Connection(url, {
    enableOfflineQueue: false,
    commandTimeout: deadlineMs - 100, // so that a call's last command fails before the call does
    connectTimeout: 1000,
    socketTimeout: Math.max(2000, deadlineMs), // a connection without replies is replaced
    maxRetriesPerRequest: 0,
    retryStrategy: reconnectDelay,
  });
}

/** For workers: BullMQ requires that blocking calls are retried for ever. */
export function connectConsumer(url: string): Redis {
  return new Connection(url, { ...patient, socketTimeout: 15_000 }); // BullMQ's blocking calls take up to 10 s
}

/** For subscribers: no offline queue, which would grow in an outage. ioredis subscribes again when Redis is back. */
export function connectSubscriber(url: string): Redis {
  return new Connection(url, { ...patient, enableOfflineQueue: false, socketTimeout: 5000 });
}

/** Fails when Redis takes no writes. The key expires after a second. */
export async function probeWrites(redis: Redis, prefix: string): Promise<void> {
  await redis.set(`${prefix}:probe`, '1', 'PX', 1000);
}

/** Reports the loss and the return of a connection to the outage. */
export function reportConnection(redis: Redis, outage: Outage): void {
  const explain = async (error: Error) => {
    const isCutOff = /^(write|read) /.test(error.message);
    const greeting = isCutOff ? await readGreeting(redis) : null;
    outage.failed('connection', asLoss(greeting === null ? error : new Error(greeting)));
  };
  redis.on('error', (error) => void explain(error));
  redis.on('ready', () => outage.worked());
}

/**
 * The error that Redis sends before it closes a new connection (too many clients); null when it sends none. The
 * connection that was cut off has lost it, because ioredis writes first. Not read through TLS.
 */
async function readGreeting({ options }: Redis): Promise<string | null> {
  if (options.tls) return null;
  const { host, port = 6379, path } = options;
  const socket = openSocket(path ? { path } : { port, ...(host && { host }) });
  try {
    const [data] = (await once(socket, 'data', { signal: AbortSignal.timeout(500) })) as [Buffer];
    return /^-(.*)/.exec(data.toString())?.[1] ?? null;
  } catch {
    return null;
  } finally {
    socket.destroy();
  }
}

/** ioredis, except that it neither continues in a wrong database nor warns on the console. */
class Connection extends Redis {
  /** BullMQ opens its blocking connection with this. */
  override duplicate(override: Partial<RedisOptions> = {}): Redis {
    const WithOptions = Connection as unknown as new (options: RedisOptions) => Redis; // one of its overloads
    return new WithOptions({ ...this.options, ...override });
  }

  /** When the database is missing, ioredis would continue in database 0. This class reconnects instead. */
  override select = (...args: Parameters<Redis['select']>) => {
    const selected = Redis.prototype.select.apply(this, args);
    selected.catch(() => this.disconnect(true));
    return selected;
  };

  /**
   * Without the permission for INFO, ioredis would warn on the console. This class returns an empty text instead. While
   * Redis loads its data, ioredis waits silently. This class emits an error.
   */
  override info = ((...args: unknown[]) => {
    const callback = args.at(-1) as (error: unknown, text: string) => void;
    const sections = args.filter((arg) => typeof arg === 'string');
    const text = Redis.prototype.info.apply(this, sections as []).catch((error: unknown) => {
      if (isPermissionMissing(error)) return '';
      throw error;
    });
    const warn = (found: string) => {
      if (/^loading:1/m.test(found) && this.listenerCount('error') > 0)
        this.emit('error', new Error('LOADING Redis is loading the dataset in memory'));
    };
    text.then(warn, () => {}); // the caller has the error
    if (typeof callback === 'function') callbackify(() => text)(callback);
    return text;
  }) as Redis['info'];
}
