import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JobStatus, jobStatuses, type TrainJob } from '../../../src/jobs/contract.ts';
import type { JobQueue } from '../../../src/jobs/producer/queue.ts';
import { startRedisServer } from '../redis-server.ts';
import { buildYard, openYard, type Yard } from '../yard.ts';

const { url } = await startRedisServer();

const idsOf = (jobs: readonly TrainJob[]) => jobs.map(({ id }) => id);

/** All ids of a listing, page by page. */
async function walk(queue: JobQueue, limit: number, status?: JobStatus): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const after = ids.at(-1);
    const page = await queue.list({ limit, ...(status && { status }), ...(after && { after }) });
    ids.push(...idsOf(page.data));
    expect(page.data.length).toBeLessThanOrEqual(limit);
    if (!page.hasMore) return ids;
    expect(page.data).toHaveLength(limit);
  }
}

describe('a queue with jobs of every kind', () => {
  let yard: Yard;
  let close: () => Promise<void>;
  const jobs: Record<string, string> = {};

  beforeAll(async () => {
    [yard, close] = await buildYard(url);
    jobs['succeeded'] = (await yard.enqueue()).id;
    jobs['failed'] = (await yard.enqueue({ learningRate: 1, schedule: 'constant' })).id;
    jobs['dropped'] = (await yard.enqueue()).id;
    await yard.queue.cancel(jobs['dropped']);
    jobs['stopped'] = (await yard.enqueue({ epochs: 1000 })).id;
    jobs['running'] = (await yard.enqueue({ epochs: 1000 })).id;
    for (let i = 0; i < 4; i++) jobs[`queued ${i}`] = (await yard.enqueue()).id;
    jobs['cancelled in line'] = (await yard.enqueue()).id;
    await yard.queue.cancel(jobs['cancelled in line']);
    await yard.startWorker();
    await yard.untilJob(jobs['stopped'], 'to run', ({ status }) => status === 'running');
    await yard.queue.cancel(jobs['stopped']);
    await yard.untilJob(jobs['running'], 'to run', ({ status }) => status === 'running');
  });
  afterAll(() => close());

  const expected = (): Record<JobStatus, string[]> => ({
    queued: [jobs['queued 3']!, jobs['queued 2']!, jobs['queued 1']!, jobs['queued 0']!],
    running: [jobs['running']!],
    succeeded: [jobs['succeeded']!],
    failed: [jobs['failed']!],
    cancelled: [jobs['cancelled in line']!, jobs['stopped']!, jobs['dropped']!],
  });

  it('lists all, newest first', async () => {
    const { data, hasMore } = await yard.queue.list({ limit: 100 });
    expect(idsOf(data)).toEqual(Object.values(jobs).toReversed());
    expect(hasMore).toBe(false);
  });

  it.each(jobStatuses)('lists those that are %s, and no others', async (status) => {
    const { data, hasMore } = await yard.queue.list({ status, limit: 100 });
    expect(idsOf(data)).toEqual(expected()[status]);
    expect(data.every((job) => job.status === status)).toBe(true);
    expect(hasMore).toBe(false);
  });

  it('shows each job as find does', async () => {
    const { data } = await yard.queue.list({ limit: 100 });
    for (const job of data.filter(({ status }) => status !== 'running')) {
      expect(await yard.find(job.id)).toEqual(job);
    }
  });

  it('pages without gaps or duplicates for any limit and filter', async () => {
    const status = fc.option(fc.constantFrom(...jobStatuses), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 12 }), status, async (limit, filter) => {
        const all = filter ? expected()[filter] : Object.values(jobs).toReversed();
        expect(await walk(yard.queue, limit, filter)).toEqual(all);
      }),
      { numRuns: 40 },
    );
  });

  it('starts after an id, also one that no job has', async () => {
    const { data } = await yard.queue.list({ limit: 2, after: jobs['running']! });
    expect(idsOf(data)).toEqual([jobs['stopped'], jobs['dropped']]);
    expect((await yard.queue.list({ limit: 2, after: '0' })).data).toEqual([]);
  });
});

describe('list', () => {
  it('is empty at first for any filter', async () => {
    const { queue } = await openYard(url);
    for (const status of [undefined, ...jobStatuses]) {
      expect(await queue.list({ limit: 1, ...(status && { status }) })).toEqual({ data: [], hasMore: false });
    }
  });

  it('repeats and skips nothing when a job is added between two pages', async () => {
    const yard = await openYard(url);
    const old = [await yard.enqueue(), await yard.enqueue(), await yard.enqueue()];
    const first = await yard.queue.list({ limit: 2 });
    await yard.enqueue();
    const second = await yard.queue.list({ limit: 2, after: first.data[1]!.id });
    expect([...idsOf(first.data), ...idsOf(second.data)]).toEqual(idsOf(old).toReversed());
    expect(second.hasMore).toBe(false);
  });
});
