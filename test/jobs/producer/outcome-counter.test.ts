import { Queue, UnrecoverableError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { queueName } from '../../../src/jobs/contract.ts';
import { createOutcomeCounter } from '../../../src/jobs/producer/outcome-counter.ts';
import { openQueue } from '../../../src/jobs/producer/queue.ts';
import { closeAfterTest } from '../../closing.ts';
import { startRedisServer } from '../redis-server.ts';
import { until } from '../until.ts';
import { isConnected, openYard, type Yard } from '../yard.ts';

const { url } = await startRedisServer();

/** Queues `count` jobs and ends them at once, every third as failed. */
async function endJobs(yard: Yard, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push((await yard.enqueue()).id);
  const failing = new Set(ids.filter((_, index) => index % 3 === 0));
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  const worker = new Worker(
    queueName,
    async ({ id }) => {
      if (failing.has(id!)) throw new UnrecoverableError('NO_REASON: for a test');
    },
    { connection, prefix: yard.prefix, concurrency: 20 },
  );
  const ended = async () => (await yard.queue.outcomes(0)).counts;
  await until('all jobs to end', ended, ({ completed, failed }) => completed + failed >= count);
  await worker.close();
  connection.disconnect();
  return ids;
}

/** The queue of another API process. */
async function openOther({ prefix }: Yard) {
  const queue = openQueue({ redisUrl: url, prefix, onError: () => {} });
  closeAfterTest(() => queue.close());
  await until('a connection to Redis', () => isConnected(queue), Boolean);
  return queue;
}

const idsOf = (jobs: readonly { id: string }[]) => jobs.map(({ id }) => id);

it('reports each ended job once, to one of several processes, also when one call can’t take them all', async () => {
  const yard = await openYard(url);
  const ids = await endJobs(yard, 130);
  const queues = [yard.queue, await openOther(yard), await openOther(yard)];
  expect((await yard.queue.outcomes(0)).ended).toEqual([]);
  const told: string[] = [];
  for (let round = 0; round < 4; round++) {
    const counts = await Promise.all([...queues, ...queues].map((queue) => queue.outcomes(10)));
    told.push(...counts.flatMap(({ ended }) => idsOf(ended)));
  }
  while (told.length < ids.length) {
    const { ended } = await queues[1]!.outcomes(100);
    if (ended.length === 0) break;
    told.push(...idsOf(ended));
  }
  expect(told.toSorted()).toEqual(ids.toSorted());
  const restarted = await openOther(yard);
  for (const queue of [...queues, restarted]) expect((await queue.outcomes(100)).ended).toEqual([]);
});

it('reports a job again when the report was lost', async () => {
  const yard = await openYard(url);
  const ids = await endJobs(yard, 3);
  const redis = new Redis(url);
  const queue = new Queue(queueName, { connection: redis, prefix: yard.prefix });
  closeAfterTest(async () => {
    await queue.close();
    redis.disconnect();
  });
  let lost = false;
  const losing = new Proxy(queue, {
    get: (target, name) => {
      if (name === 'getJob' && !lost) {
        lost = true;
        return () => Promise.reject(new Error('lost'));
      }
      return Reflect.get(target, name) as unknown;
    },
  });
  const take = createOutcomeCounter({ queue: losing, redis, prefix: yard.prefix });
  await expect(take(10)).rejects.toThrow('lost');
  expect((await yard.queue.outcomes(10)).ended).toEqual([]); // the first process counts them
  expect(idsOf((await take(10)).ended).toSorted()).toEqual(ids.toSorted());
  expect((await take(10)).ended).toEqual([]);
});

it('reports how jobs have ended, and no job that waits', async () => {
  const yard = await openYard(url);
  await endJobs(yard, 4);
  const { id } = await yard.enqueue();
  await yard.queue.cancel(id);
  const { counts, running, ended } = await yard.queue.outcomes(100);
  expect(ended.map(({ status }) => status).toSorted()).toEqual([
    'failed',
    'failed',
    'succeeded',
    'succeeded',
  ]);
  expect(counts).toEqual({ waiting: 1, active: 0, completed: 2, failed: 2 });
  expect(running).toEqual([]);
});
