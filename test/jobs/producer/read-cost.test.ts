/** What a read costs in Redis, by the commands that Redis counts. */
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { v7 as uuidv7 } from 'uuid';
import { beforeEach, expect, it } from 'vitest';
import { queueName } from '../../../src/jobs/contract.ts';
import { closeAfterTest } from '../../closing.ts';
import { startRedisServer } from '../redis-server.ts';
import { openYard, requestOf, type Yard } from '../yard.ts';

const { url } = await startRedisServer(); // no other test's commands are counted
const waiting = 400; // jobs

let yard: Yard;
let ids: string[];
let redis: Redis;

beforeEach(async () => {
  yard = await openYard(url);
  redis = new Redis(url);
  closeAfterTest(async () => redis.disconnect());
  const queue = new Queue(queueName, { connection: redis, prefix: yard.prefix });
  const data = { request: requestOf(), cancelRequestedAt: null, requestId: null };
  ids = Array.from({ length: waiting }, () => uuidv7());
  await queue.addBulk(ids.map((jobId) => ({ name: 'train', data, opts: { jobId } })));
  await queue.close();
});

/** How many whole jobs Redis hands out during a call; BullMQ reads a job by HGETALL. */
async function jobsRead(call: () => Promise<unknown>): Promise<number> {
  await redis.config('RESETSTAT');
  await call();
  const stats = await redis.info('commandstats');
  return Number(/^cmdstat_hgetall:calls=(\d+)/m.exec(stats)?.[1] ?? 0);
}

it('reads only one whole job for its place in line', async () => {
  const last = ids.at(-1)!;
  expect(await jobsRead(async () => expect((await yard.find(last)).queuePosition).toBe(waiting))).toBe(1);
  await yard.queue.cancel(ids[0]!);
  expect(await jobsRead(async () => expect((await yard.find(last)).queuePosition).toBe(waiting - 1))).toBe(1);
});

it('reads one job more than a page has', async () => {
  expect(await jobsRead(() => yard.queue.list({ limit: 1 }))).toBe(2);
  expect(await jobsRead(() => yard.queue.list({ limit: 1, status: 'queued' }))).toBe(2);
  expect(await jobsRead(() => yard.queue.list({ limit: 5, after: ids[100]! }))).toBe(6);
});

it('forgets cancelled jobs that have ended', async () => {
  const cancelled = `${yard.prefix}:train:cancelled`;
  await redis.sadd(cancelled, 'a job that has ended');
  await yard.queue.cancel(ids[3]!);
  expect(await redis.smembers(cancelled)).toEqual([ids[3]]);
});
