/** Lua scripts as commands of Redis. */
import type { Redis } from 'ioredis';
import { sha256Of } from '../../lib/sha256.ts';

type Values = readonly (string | number)[];
export type Script = (redis: Redis, keys: readonly string[], values: Values) => Promise<unknown>;

/**
 * Registers a script as a command of each connection that uses it, so that ioredis sends only its hash to a Redis that
 * knows it. Every key that the script touches has to be in `keys`.
 */
export function defineScript(lua: string): Script {
  const name = sha256Of(lua);
  return (redis, keys, values) => {
    const commands = redis as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    if (!(name in redis)) redis.defineCommand(name, { lua });
    return commands[name]!(keys.length, ...keys, ...values);
  };
}
