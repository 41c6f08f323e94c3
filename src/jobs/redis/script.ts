/** Lua scripts as commands of Redis. */
import type { Redis } from 'ioredis';

export type Script = (
  redis: Redis,
  keys: readonly string[],
  values: readonly (string | number)[],
) => Promise<unknown>;

/**
 * Registers a script under a name on each connection that uses it. ioredis sends the script's hash, and the whole script
 * only to a Redis that does not know it. Every key that the script touches has to be in `keys`.
 */
export function defineScript(name: string, lua: string): Script {
  return (redis, keys, values) => {
    const connection = redis as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    if (!(name in redis)) redis.defineCommand(name, { lua });
    return connection[name]!(keys.length, ...keys, ...values);
  };
}
