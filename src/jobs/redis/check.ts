/** A first look at the Redis that REDIS_URL names, before anything is built on it. */
import { Redis } from 'ioredis';
import { messageOf, TrainyardError } from '../../lib/errors.ts';
import { isPermissionMissing, refusalOf } from './errors.ts';

const answerWithinMs = 3000;
const oldest = [6, 2] as const; // for the commands that BullMQ sends

/** Null when Redis answers, else why it does not. No password is in the reason. */
export type RedisLook = { readonly unreachable: string | null };

/**
 * Connects once. A Redis that does not answer may come later; what no waiting mends is thrown.
 *
 * @throws TrainyardError `REDIS_DATABASE_MISSING` when there is no such database, `REDIS_TOO_OLD`
 */
export async function lookAtRedis(url: string): Promise<RedisLook> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableReadyCheck: false, // its own look at INFO is below
    connectTimeout: answerWithinMs,
    commandTimeout: answerWithinMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let heard: unknown = null;
  redis.on('error', (error) => {
    heard = error; // says more than the rejection that follows
  });
  try {
    await redis.connect();
    await selectDatabase(redis);
    await redis.ping();
    await expectVersion(redis);
    return { unreachable: null };
  } catch (error) {
    if (error instanceof TrainyardError) throw error;
    return { unreachable: messageOf(heard ?? error) };
  } finally {
    redis.disconnect();
  }
}

/** ioredis has selected it as well; when that fails it goes on in database 0. */
async function selectDatabase(redis: Redis): Promise<void> {
  const database = redis.options.db ?? 0;
  if (database === 0) return;
  try {
    await redis.select(database);
  } catch (error) {
    if (refusalOf(error) !== 'command') throw error;
    const message = `expected database ${database} of REDIS_URL to be there, Redis answers: ${messageOf(error)}; name one that it has (0 is always there), or raise "databases" in its configuration`;
    throw new TrainyardError('REDIS_DATABASE_MISSING', message, { cause: error });
  }
}

async function expectVersion(redis: Redis): Promise<void> {
  const text = await redis.info('server').catch((error: unknown) => {
    if (isPermissionMissing(error)) return ''; // it may well be new enough
    throw error;
  });
  const [, version] = /^redis_version:(\S+)/m.exec(text) ?? [];
  if (version === undefined) return;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return;
  const message = `expected Redis ${oldest.join('.')} or newer, got ${version}; update it, or unset REDIS_URL for an embedded one`;
  throw new TrainyardError('REDIS_TOO_OLD', message);
}
