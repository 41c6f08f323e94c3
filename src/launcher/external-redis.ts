/** Checks the Redis of REDIS_URL before anything is started on it. */
import { lookAtRedis } from '../jobs/redis/check.ts';
import { TrainyardError } from '../lib/errors.ts';

/** @throws TrainyardError `REDIS_UNREACHABLE`, without the password; errors as `lookAtRedis` */
export async function expectRedis(url: string): Promise<void> {
  const { unreachable } = await lookAtRedis(url);
  if (unreachable === null) return;
  const message = `expected Redis at ${new URL(url).host} to answer, got: ${unreachable}; start it, correct REDIS_URL, or unset it for an embedded one`;
  throw new TrainyardError('REDIS_UNREACHABLE', message);
}
