/** Checks the Redis of REDIS_URL at start-up. */
import { messageOf, TrainyardError } from '../../lib/errors.ts';
import { Redis } from '../../lib/ioredis.ts';
import { isPermissionMissing, refusalOf } from './errors.ts';

const answerWithinMs = 3000;
const oldest = [6, 2] as const; // that has all commands BullMQ sends

/** Why Redis can't be reached, without the password; null when it can. */
export type RedisLook = { readonly unreachable: string | null };

/**
 * Connects once. Redis may still be starting, so a missing answer is a result; what waiting can't fix is thrown.
 *
 * @throws TrainyardError `REDIS_DATABASE_MISSING` when there is no such database, `REDIS_TOO_OLD`
 */
export async function lookAtRedis(url: string): Promise<RedisLook> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableReadyCheck: false, // INFO is read below
    connectTimeout: answerWithinMs,
    commandTimeout: answerWithinMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let heard: unknown = null;
  redis.on('error', (error) => {
    heard = error; // more precise than the rejection that follows
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

/** Selects the database again, since ioredis continues in database 0 when its own SELECT fails. */
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
    if (isPermissionMissing(error)) return ''; // the version stays unknown
    throw error;
  });
  const [, version] = /^redis_version:(\S+)/m.exec(text) ?? [];
  if (version === undefined) return;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return;
  const message = `expected Redis ${oldest.join('.')} or newer, got ${version}; update it, or unset REDIS_URL for an embedded one`;
  throw new TrainyardError('REDIS_TOO_OLD', message);
}
