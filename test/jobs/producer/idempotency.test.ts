import type { Queue } from 'bullmq';
import * as fc from 'fast-check';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import type { TrainJob } from '../../../src/jobs/contract.ts';
import { startRedisServer } from '../redis-server.ts';
import { openYard, requestOf, withBullQueue, type Yard } from '../yard.ts';

const { url } = await startRedisServer();

const idsOf = (jobs: readonly TrainJob[]) => jobs.map(({ id }) => id);
const listIds = async (yard: Yard) => idsOf((await yard.queue.list({ limit: 100 })).data);

const withQueue = <T>(prefix: string, work: (queue: Queue) => Promise<T>) => withBullQueue(url, prefix, work);

describe('an idempotency key', () => {
  it('gives the same job for the same request', async () => {
    const { queue } = await openYard(url);
    const first = await queue.enqueue(requestOf(), 'key');
    const again = await queue.enqueue(requestOf(), 'key');
    expect(first.outcome).toBe('queued');
    expect(again).toEqual({ ...first, outcome: 'existing' });
  });

  it('ignores the order of fields', async () => {
    const { queue } = await openYard(url);
    const first = await queue.enqueue(requestOf({ metadata: { a: 1, b: 2 } }), 'key');
    const again = await queue.enqueue(requestOf({ metadata: { b: 2, a: 1 } }), 'key');
    expect(again).toEqual({ ...first, outcome: 'existing' });
  });

  it('refuses another request and names the job that has the key', async () => {
    const yard = await openYard(url);
    const first = await yard.queue.enqueue(requestOf({ seed: 1 }), 'key');
    const other = await yard.queue.enqueue(requestOf({ seed: 2 }), 'key');
    expect(other).toEqual({ outcome: 'conflict', jobId: first.outcome === 'queued' && first.job.id });
    expect(await listIds(yard)).toHaveLength(1);
  });

  it('gives one job to twenty calls at once', async () => {
    const yard = await openYard(url);
    const calls = Array.from({ length: 20 }, () => yard.queue.enqueue(requestOf(), 'key'));
    const results = await Promise.all(calls);
    const outcomes = results.map(({ outcome }) => outcome).toSorted();
    expect(outcomes).toEqual([...Array.from({ length: 19 }, () => 'existing'), 'queued']);
    const ids = new Set(results.map((result) => 'job' in result && result.job.id));
    expect([...ids]).toEqual(await listIds(yard));
  });

  it('goes to one of two requests when twenty calls come at once', async () => {
    const yard = await openYard(url);
    const calls = Array.from({ length: 20 }, (_, i) =>
      yard.queue.enqueue(requestOf({ seed: 1 + (i % 2) }), 'key'),
    );
    const outcomes = (await Promise.all(calls)).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'conflict')).toHaveLength(10);
    expect(await listIds(yard)).toHaveLength(1);
  });

  it('still gives its job when the job has ended', async () => {
    const { queue } = await openYard(url);
    const first = await queue.enqueue(requestOf(), 'key');
    if (first.outcome !== 'queued') throw new Error('expected a queued job');
    const cancelled = await queue.cancel(first.job.id);
    expect(await queue.enqueue(requestOf(), 'key')).toMatchObject({
      outcome: 'existing',
      job: cancelled.outcome !== 'unknown' && cancelled.job,
    });
  });

  it('can be looked up: nothing before its job is added, then what enqueueing again would give', async () => {
    const yard = await openYard(url);
    const { queue } = yard;
    expect(await queue.findQueued('key', 'asked')).toBeNull();
    const first = await queue.enqueue(requestOf(), 'key', undefined, 'asked');
    if (first.outcome !== 'queued') throw new Error('expected a queued job');
    const { job } = first;
    expect(await queue.findQueued('key', 'asked')).toEqual({ outcome: 'existing', job });
    expect(await queue.findQueued('key', 'other')).toEqual({ outcome: 'conflict', jobId: job.id });
    await withQueue(yard.prefix, (bull) => bull.remove(job.id));
    expect(await queue.findQueued('key', 'asked')).toEqual({ outcome: 'forgotten', jobId: job.id });
  });

  it('can be any text; other keys and none give other jobs', async () => {
    const keys = fc.uniqueArray(fc.string({ unit: 'binary' }), { minLength: 2, maxLength: 4 });
    fc.sample(keys, 1); // the first draw blocks this process for close to a second, and calls would time out
    const { queue } = await openYard(url);
    const jobOf = async (key?: string) => {
      const result = await queue.enqueue(requestOf(), key);
      return 'job' in result ? result.job.id : null;
    };
    await fc.assert(
      fc.asyncProperty(keys, async (several) => {
        const ids = await Promise.all(several.map(jobOf));
        expect(await Promise.all(several.map(jobOf))).toEqual(ids);
        expect(new Set([...ids, await jobOf(), await jobOf()]).size).toBe(several.length + 2);
      }),
      { numRuns: 15, verbose: fc.VerbosityLevel.VeryVerbose },
    );
  });

  it('does not run its job again when the job has ended and is no longer kept', async () => {
    const yard = await openYard(url);
    const first = await yard.queue.enqueue(requestOf(), 'key');
    if (first.outcome !== 'queued') throw new Error('expected a queued job');
    const { id } = first.job;
    await withQueue(yard.prefix, (bull) => bull.remove(id)); // as when 1000 newer ones have finished
    expect(await yard.queue.enqueue(requestOf(), 'key')).toEqual({
      outcome: 'forgotten',
      jobId: first.job.id,
    });
    expect(await listIds(yard)).toEqual([]);
  });

  it('is forgotten after a day', async () => {
    const { queue, prefix } = await openYard(url);
    await queue.enqueue(requestOf(), 'key');
    const redis = new Redis(url);
    const [name] = await redis.keys(`${prefix}:idempotency:*`);
    const seconds = await redis.ttl(name!);
    redis.disconnect();
    expect(seconds).toBeGreaterThan(86_400 - 60);
    expect(seconds).toBeLessThanOrEqual(86_400);
  });
});
