/** ioredis, which is CommonJS, loaded by `require`, for the same reason as BullMQ (jobs/bullmq.ts). */
import { createRequire } from 'node:module';
import type * as Ioredis from 'ioredis';

export type { RedisOptions } from 'ioredis';

export const { Redis } = createRequire(import.meta.url)('ioredis') as typeof Ioredis;
export type Redis = Ioredis.Redis;
