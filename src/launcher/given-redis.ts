/** A Redis that REDIS_URL names: looked at before anything is started on it. */
import { Redis } from 'ioredis';
import { messageOf, TrainyardError } from '../model/errors.ts';

const answerWithinMs = 3000;

/** @throws TrainyardError `REDIS_UNREACHABLE`; no password is in its message */
export async function expectRedis(url: string): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: answerWithinMs,
    commandTimeout: answerWithinMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let heard: unknown = new Error('no answer');
  redis.on('error', (error) => {
    heard = error; // says more than the rejection that follows
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    const reason = messageOf(heard instanceof Error ? heard : error);
    const message = `expected Redis at ${new URL(url).host} to answer, got: ${reason}; start it, correct REDIS_URL, or unset it for an embedded one`;
    throw new TrainyardError('REDIS_UNREACHABLE', message, { cause: error });
  } finally {
    redis.disconnect();
  }
}
