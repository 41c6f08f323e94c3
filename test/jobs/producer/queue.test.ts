import type { Queue } from 'bullmq';
import * as fc from 'fast-check';
import { Redis } from 'ioredis';
import { v7 as uuidv7 } from 'uuid';
import { describe, expect, it, vi } from 'vitest';
import { closeAfterTest } from '../../closing.ts';
import { startRedisServer } from '../redis-server.ts';
import { until } from '../until.ts';
import { openYard, requestOf, withBullQueue } from '../yard.ts';

const { url } = await startRedisServer();

describe('enqueue', () => {
  it('gives a queued job with every value of its request resolved', async () => {
    const { queue } = await openYard(url);
    const request = requestOf({ recipe: 'article', epochs: 2, metadata: { note: 'first' } });
    const before = Date.now();
    const result = await queue.enqueue(request);
    expect(result).toEqual({
      outcome: 'queued',
      job: {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        status: 'queued',
        request: {
          model: 'mnist',
          promote: 'unless-worse',
          corrections: false,
          recipe: 'article',
          dataset: 'mnist',
          network: 'article',
          epochs: 2,
          passes: 1,
          patience: null,
          balance: false,
          batchSize: 32,
          learningRate: 0.01,
          schedule: 'constant',
          warmup: 0,
          labelSmoothing: 0,
          shuffle: false,
          augment: false,
          otherHands: 0,
          outliers: 0,
          calibrationImages: 20,
          seed: 7,
          trainImages: 320,
          testImages: 100,
          metadata: { note: 'first' },
        },
        progress: null,
        epochs: [],
        engine: null,
        queuePosition: 1,
        attempt: 0,
        resumedFromStep: null,
        modelVersion: null,
        promotion: null,
        error: null,
        createdAt: expect.any(String),
        startedAt: null,
        finishedAt: null,
      },
    });
    const createdAt = Date.parse(result.outcome === 'queued' ? result.job.createdAt : '');
    expect(createdAt >= before && createdAt <= Date.now()).toBe(true);
  });

  it('gives each job its place in line; 1 is next', async () => {
    const yard = await openYard(url);
    const jobs = [await yard.enqueue(), await yard.enqueue(), await yard.enqueue()];
    expect(jobs.map(({ queuePosition }) => queuePosition)).toEqual([1, 2, 3]);
    for (const job of jobs) expect(await yard.find(job.id)).toEqual(job);
  });
});

/** Ids that no job has; some name keys that BullMQ keeps beside its jobs. */
const strangers = ['', '0', '*', 'a:b', 'meta', 'wait', 'events', '00000000-0000-7000-8000-000000000000'];

/** Adds jobs directly, without the API's limit. */
async function fillUp(prefix: string, count: number): Promise<void> {
  await withQueue(prefix, (queue) => {
    const data = { request: requestOf(), cancelRequestedAt: null };
    return queue.addBulk(
      Array.from({ length: count }, () => ({ name: 'train', data, opts: { jobId: uuidv7() } })),
    );
  });
}

async function anyWaiting(prefix: string): Promise<string> {
  return withQueue(prefix, async (queue) => (await queue.getWaiting(0, 0))[0]!.id!);
}

const withQueue = <T>(prefix: string, work: (queue: Queue) => Promise<T>) => withBullQueue(url, prefix, work);

it('fills in the values that a job from an earlier version lacks', async () => {
  const { queue, prefix } = await openYard(url);
  const { augment: _, otherHands: __, outliers: ___, calibrationImages: ____, ...request } = requestOf();
  const data = { request, cancelRequestedAt: null };
  const id = uuidv7();
  await withQueue(prefix, (bull) => bull.add('train', data, { jobId: id }));
  const none = { augment: false, otherHands: 0, outliers: 0, calibrationImages: 0 };
  expect((await queue.find(id))?.request).toEqual({ ...requestOf(), ...none });
});

describe('a queue that is full', () => {
  it('refuses further jobs, and takes a refused call once there is room', async () => {
    const { queue, prefix } = await openYard(url);
    const { outcome } = await queue.enqueue(requestOf());
    await fillUp(prefix, 999);
    const full = { outcome: 'full', waiting: 1000 };
    expect([outcome, await queue.enqueue(requestOf())]).toEqual(['queued', full]);
    expect(await queue.enqueue(requestOf(), 'a key')).toEqual(full);
    await queue.cancel(await anyWaiting(prefix));
    expect(await queue.enqueue(requestOf(), 'a key')).toMatchObject({ outcome: 'existing' });
    expect(await queue.enqueue(requestOf())).toEqual(full);
  });
});

describe('find', () => {
  it('gives null for any id that no job has', async () => {
    const { queue } = await openYard(url);
    await queue.enqueue(requestOf());
    for (const id of strangers) {
      expect([id, await queue.find(id)]).toEqual([id, null]);
    }
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (id) => {
        expect(await queue.find(id)).toBeNull();
      }),
      { numRuns: 50 },
    );
  });
});

describe('cancelling a queued job', () => {
  it('ends it at once, and the jobs behind it move up', async () => {
    const yard = await openYard(url);
    const [first, second, third] = [await yard.enqueue(), await yard.enqueue(), await yard.enqueue()];
    const result = await yard.queue.cancel(second.id);
    expect(result).toEqual({
      outcome: 'requested',
      job: { ...second, status: 'cancelled', queuePosition: null, finishedAt: expect.any(String) },
    });
    expect((await yard.find(first.id)).queuePosition).toBe(1);
    expect((await yard.find(third.id)).queuePosition).toBe(2);
    expect((await yard.enqueue()).queuePosition).toBe(3);
  });

  it('twice changes nothing', async () => {
    const yard = await openYard(url);
    const { id } = await yard.enqueue();
    const first = await yard.queue.cancel(id);
    const again = await yard.queue.cancel(id);
    expect(again.outcome !== 'unknown' && again.job).toEqual(first.outcome !== 'unknown' && first.job);
  });

  it('twenty times at once ends it once', async () => {
    const yard = await openYard(url);
    const { id } = await yard.enqueue({ metadata: { text: '\u2028 "ü" \uD800', rate: 1e-7, on: true } });
    let later = 0;
    class OneSecondLaterEachTime extends Date {
      constructor(...of: [] | [number]) {
        super(of.length === 0 ? Date.now() + 1000 * later++ : of[0]);
      }
    }
    vi.stubGlobal('Date', OneSecondLaterEachTime);
    const results = await Promise.all(Array.from({ length: 20 }, () => yard.queue.cancel(id)));
    vi.unstubAllGlobals();
    const job = await yard.find(id);
    expect(job.status).toBe('cancelled');
    expect(results).toEqual(results.map(() => ({ outcome: 'requested', job })));
    expect(Date.parse(job.finishedAt!) - Date.now()).toBeLessThan(1000); // the first one's time
  });

  it('is unknown for any id that no job has', async () => {
    const yard = await openYard(url);
    const job = await yard.enqueue();
    for (const id of strangers) {
      expect([id, await yard.queue.cancel(id)]).toEqual([id, { outcome: 'unknown' }]);
    }
    expect(await yard.find(job.id)).toEqual(job);
  });
});

describe('health', () => {
  it('lists the connected workers with their devices, and the eviction policy', async () => {
    const yard = await openYard(url);
    const health = () => yard.queue.health();
    expect(await health()).toEqual({
      workers: [],
      evictionPolicy: 'noeviction',
      refusal: null,
    });
    const first = await yard.startWorker({ device: 'a GPU' });
    const second = await yard.startWorker({ device: 'a CPU' });
    const both = await until('both workers', health, ({ workers }) => workers.length === 2);
    expect(both.workers.map(({ device }) => device).toSorted()).toEqual(['a CPU', 'a GPU']);
    await first.close();
    expect(await health()).toMatchObject({ workers: [{ device: 'a CPU', trouble: null }] });
    await second.close();
    expect(await health()).toMatchObject({ workers: [] });
  });

  it('does not list a connected worker whose heartbeat has stopped', async () => {
    const yard = await openYard(url);
    const redis = new Redis(url);
    closeAfterTest(async () => redis.disconnect());
    await yard.startWorker();
    await until(
      'a worker',
      () => yard.queue.health(),
      ({ workers }) => workers.length === 1,
    );
    const [id] = await redis.smembers(`${yard.prefix}:workers`);
    await redis.del(`${yard.prefix}:workers:${id}`); // as when it was not renewed in time
    expect(await yard.queue.health()).toMatchObject({ workers: [] });
  });

  it('forgets a worker that has ended without deregistering', async () => {
    const yard = await openYard(url);
    const redis = new Redis(url);
    closeAfterTest(async () => redis.disconnect());
    await redis.sadd(`${yard.prefix}:workers`, 'gone');
    expect(await yard.queue.health()).toMatchObject({ workers: [] });
    expect(await redis.smembers(`${yard.prefix}:workers`)).toEqual([]);
  });
});
