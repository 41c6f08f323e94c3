/**
 * Who holds the name of a data set: an upload, or the newest import under it. Each name that is held has a key in Redis, and
 * one set has these names, so that those whose import is no longer kept can be found.
 */
import type { Redis } from 'ioredis';
import { defineScript } from '../redis/script.ts';

export type ImportNames = {
  /** The holder of a name; null: it is free. */
  holderOf(name: string): Promise<string | null>;
  /**
   * Gives a name from one holder to another; `''` is none. Returns false where another holds it. `lifeMs`: after which the
   * name is free again; 0: for good.
   */
  swap(name: string, from: string, to: string, lifeMs?: number): Promise<boolean>;
  /** The names that are held, and maybe some that have become free. */
  list(): Promise<string[]>;
};

const swapScript = defineScript(`
local key, names = KEYS[1], KEYS[2]
if (redis.call('GET', key) or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then
  redis.call('DEL', key)
  redis.call('SREM', names, ARGV[4])
  return 1
end
if ARGV[3] == '0' then redis.call('SET', key, ARGV[2])
else redis.call('SET', key, ARGV[2], 'PX', ARGV[3]) end
redis.call('SADD', names, ARGV[4])
return 1`);

export function createImportNames(redis: Redis, prefix: string): ImportNames {
  const keyOf = (name: string) => `${prefix}:dataset:${name}`;
  const names = `${prefix}:dataset-names`;
  return {
    holderOf: (name) => redis.get(keyOf(name)),
    swap: async (name, from, to, lifeMs = 0) =>
      (await swapScript(redis, [keyOf(name), names], [from, to, lifeMs, name])) === 1,
    list: () => redis.smembers(names),
  };
}
