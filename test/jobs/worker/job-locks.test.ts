/** Locks that have expired: they are regained only for the attempt that held them. */
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import type { BullJob } from '../../../src/jobs/job-view.ts';
import { createJobLocks } from '../../../src/jobs/worker/job-locks.ts';
import { defaultTimings } from '../../../src/jobs/worker/options.ts';
import { closeAfterTest } from '../../closing.ts';
import { startRedisServer } from '../redis-server.ts';
import { until } from '../until.ts';

const { url } = await startRedisServer();

/** A job that a worker took for the first time and whose lock has expired. */
async function holdExpired() {
  const redis = new Redis(url);
  closeAfterTest(async () => redis.disconnect());
  await redis.flushall();
  await redis.hset('q:1', 'ats', 1);
  await redis.lpush('q:active', '1');
  await redis.sadd('q:stalled', '1');
  const cancelled: string[] = [];
  const worker = {
    toKey: (name: string) => `q:${name}`,
    cancelJob: (id: string, reason?: string) => cancelled.push(`${id} ${reason}`) > 0,
    closing: undefined as unknown as Promise<void>,
  };
  const parts: string[] = []; // that Redis has refused
  const outage = {
    failed: (part: string) => void parts.push(part),
    worked: () => {},
    reason: () => null,
    close: () => {},
  };
  const locks = createJobLocks(worker, redis, outage, {
    ...defaultTimings,
    firstRetry: 10,
    longestRetry: 20,
  });
  const held = locks.hold({ id: '1', attemptsStarted: 1 } as BullJob, 'mine');
  return { redis, locks, held, cancelled, parts };
}

describe('a lock that has expired', () => {
  it('is regained, and the stalled check leaves the job alone', async () => {
    const { redis, locks, cancelled } = await holdExpired();
    await locks.regain();
    expect(await redis.get('q:1:lock')).toBe('mine');
    expect(await redis.pttl('q:1:lock')).toBeGreaterThan(0);
    expect(await redis.smembers('q:stalled')).toEqual([]);
    expect(cancelled).toEqual([]);
  });

  it.each<[string, (redis: Redis) => Promise<unknown>, string | null]>([
    ['another worker holds it', (redis) => redis.set('q:1:lock', 'another'), 'another'],
    ['another worker has taken the job and lost it again', (redis) => redis.hset('q:1', 'ats', 2), null],
    ['the job waits for a worker', (redis) => redis.rpoplpush('q:active', 'q:wait'), null],
    ['the job is gone', (redis) => redis.del('q:1', 'q:active'), null],
  ])('stays lost when %s', async (_, change, holder) => {
    const { redis, locks, cancelled } = await holdExpired();
    await change(redis);
    await locks.regain();
    expect(await redis.get('q:1:lock')).toBe(holder);
    expect(cancelled).toEqual(['1 lock lost']);
  });

  it('is tried again while Redis refuses, and the job is not cancelled', async () => {
    const { redis, held, cancelled, parts } = await holdExpired();
    await redis.config('SET', 'maxmemory', '1');
    const settled = held.settle();
    await until(
      'more tries',
      () => parts.length,
      (count) => count >= 3,
    );
    expect(cancelled).toEqual([]);
    await redis.config('SET', 'maxmemory', '0');
    await settled;
    expect(await redis.get('q:1:lock')).toBe('mine');
    expect(cancelled).toEqual([]);
  });
});
