/** Queue calls that lose their answer or their connection: a repeated call takes effect once. */
import * as fc from 'fast-check';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { describe, expect, it } from 'vitest';
import type { TrainJob } from '../../../src/jobs/contract.ts';
import { type JobQueue, openQueue } from '../../../src/jobs/producer/queue.ts';
import { closeAfterTest } from '../../closing.ts';
import { faults } from '../../faults/forms.ts';
import { type Cut, startRedisProxy } from '../redis-proxy.ts';
import { createRedisServer, startRedisServer } from '../redis-server.ts';
import { timed, until } from '../until.ts';
import { endProcess, startWorkerProcess } from '../worker-process.ts';
import { isConnected, openYard, requestOf, type Yard } from '../yard.ts';

const { url } = await startRedisServer();

/** A Redis that one test stops or freezes; not started yet. */
const openShaky = () => createRedisServer(closeAfterTest);

type Told = { readonly queue: JobQueue; readonly told: string[] };

function open(redisUrl: string, prefix: string, deadlineMs?: number): Told {
  const told: string[] = [];
  const queue = openQueue({
    redisUrl,
    prefix,
    ...(deadlineMs !== undefined && { deadlineMs }),
    onError: (error) => told.push(`away: ${error.message}`),
    onRecovery: () => told.push('back'),
  });
  closeAfterTest(() => queue.close());
  return { queue, told };
}

/** The end of an outage is told when nothing has failed for a while. */
const untilTold = (told: readonly string[], count: number) =>
  until(
    `${count} lines`,
    () => told.length,
    (length) => length === count,
  );

const listIds = async (yard: Yard) => (await yard.queue.list({ limit: 100 })).data.map(({ id }) => id);

/** Repeats a call until it succeeds, as a client does on 503. */
function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
  return until<T | null>(
    'an answer',
    () =>
      call().catch((error: unknown) => {
        if ((error as { code?: string }).code !== 'REDIS_UNAVAILABLE') throw error;
        return null;
      }),
    (answer) => answer !== null,
  ) as Promise<T>;
}

const jobOf = (result: Awaited<ReturnType<JobQueue['enqueue']>>): TrainJob => {
  if (!('job' in result)) throw new Error(`expected a job, got ${JSON.stringify(result)}`);
  return result.job;
};

/** These wait for deadlines and reconnections most of the time: side by side, they wait once. */
describe.concurrent('an enqueue with an idempotency key', () => {
  it('is completed by its repetition when the connection broke between claim and job', async () => {
    const yard = await openYard(url);
    const proxy = await startRedisProxy(url);
    const { queue } = open(proxy.url, yard.prefix);
    await untilAnswered(() => queue.list({ limit: 1 }));
    proxy.cut((message) => (message.includes(':wait') ? 'before' : null));
    await expect(queue.enqueue(requestOf(), 'key')).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    expect(await listIds(yard)).toEqual([]); // claimed, not added
    const again = await yard.queue.enqueue(requestOf(), 'key');
    expect(again).toMatchObject({ outcome: 'existing', job: { status: 'queued' } });
    expect(await listIds(yard)).toEqual([jobOf(again).id]);
  });

  it('adds one job, wherever and however often the connection breaks', async () => {
    const yard = await openYard(url);
    const proxy = await startRedisProxy(url);
    const { queue } = open(proxy.url, yard.prefix);
    await untilAnswered(() => queue.list({ limit: 1 }));
    const cuts = fc.array(fc.constantFrom<Cut>('before', 'after', null, null), { maxLength: 12 });
    let run = 0;
    let expected = 0;
    await fc.assert(
      fc.asyncProperty(cuts, async (plan) => {
        const left = [...plan];
        proxy.cut(() => left.shift() ?? null);
        const key = `key ${run++}`;
        const { id } = jobOf(await untilAnswered(() => queue.enqueue(requestOf(), key)));
        expect(jobOf(await yard.queue.enqueue(requestOf(), key)).id).toBe(id);
        expect(await listIds(yard)).toHaveLength(Math.min(++expected, 100));
      }),
      { numRuns: faults.isLong ? 90 : 15, endOnFailure: true },
    );
  });

  it('adds one job for each key while Redis freezes at random', async () => {
    const shaky = await openShaky();
    await shaky.start();
    const yard = await openYard(shaky.url);
    const freezing = freezeAtRandom(shaky, faults.isLong ? 10 : 2);
    const keys: string[] = [];
    const calls: Promise<string>[] = [];
    while (!freezing.done() || keys.length < 20) {
      const key = `key ${keys.length}`;
      keys.push(key);
      const call = async () => jobOf(await untilAnswered(() => yard.queue.enqueue(requestOf(), key))).id;
      calls.push(call(), call()); // an impatient client
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const ids = await Promise.all(calls);
    expect(new Set(ids).size).toBe(keys.length);
    const { data } = await yard.queue.list({ limit: 100 });
    expect(data).toHaveLength(Math.min(keys.length, 100));
    expect(data.every(({ id }) => ids.includes(id))).toBe(true);
  });
});

/** Freezes Redis `times` times for 0.3 to 2 s. */
function freezeAtRandom(server: { pause(): void; resume(): void }, times: number): { done(): boolean } {
  let left = times;
  const random = faults.random('freezing Redis');
  const wait = (least: number, most: number) =>
    new Promise((resolve) => setTimeout(resolve, uniformInt(random, least, most)));
  void (async () => {
    for (; left > 0; left--) {
      await wait(50, 500);
      server.pause();
      await wait(300, 2000);
      server.resume();
    }
  })();
  return { done: () => left === 0 };
}

const calls: [string, (queue: JobQueue, id: string) => Promise<unknown>, RegExp][] = [
  ['enqueue', (queue) => queue.enqueue(requestOf()), /may have been queued; look for it in GET \/jobs/],
  ['enqueue with a key', (queue) => queue.enqueue(requestOf(), 'k'), /the same Idempotency-Key/],
  ['find', (queue, id) => queue.find(id), /try again$/],
  ['list', (queue) => queue.list({ limit: 5 }), /try again$/],
  ['cancel', (queue, id) => queue.cancel(id), /may have been cancelled; try again/],
  ['health', (queue) => queue.health(), /try again$/],
];

/** Makes every call at once; returns how long the slowest took. */
async function failAll(queue: JobQueue, id: string, says?: RegExp): Promise<number> {
  const { ms } = await timed(() =>
    Promise.all(
      calls.map(([name, call, pattern]) =>
        expect(call(queue, id), name).rejects.toMatchObject({
          code: 'REDIS_UNAVAILABLE',
          message: expect.stringMatching(says ?? pattern),
        }),
      ),
    ),
  );
  return ms;
}

describe.concurrent('a call without Redis', () => {
  it('fails within a second while Redis is frozen, saying what may have happened, and works again afterwards', async () => {
    const shaky = await openShaky();
    await shaky.start();
    const yard = await openYard(shaky.url);
    const { id } = await yard.enqueue();
    const { queue, told } = open(shaky.url, yard.prefix);
    await until('a connection', () => isConnected(queue), Boolean);
    await queue.find(id);
    shaky.pause();
    expect(await failAll(queue, id)).toBeLessThan(1000);
    for (let i = 0; i < 3; i++) expect(await failAll(queue, id, /try again/)).toBeLessThan(1000);
    shaky.resume();
    const { ms } = await timed(() => untilAnswered(() => queue.cancel(id)));
    console.log(`answers ${ms.toFixed(0)} ms after Redis does`);
    expect(ms).toBeLessThan(1500);
    expect(await queue.find(id)).toMatchObject({ status: 'cancelled' });
    await untilTold(told, 2);
    expect(told).toEqual([expect.stringContaining('away: '), 'back']);
  });

  it('waits as long as its deadline says', async () => {
    const shaky = await openShaky();
    await shaky.start();
    const yard = await openYard(shaky.url);
    const patient = open(shaky.url, yard.prefix, 60_000);
    const impatient = open(shaky.url, yard.prefix);
    for (const { queue } of [patient, impatient])
      await until('a connection', () => isConnected(queue), Boolean);
    shaky.pause();
    const answer = patient.queue.list({ limit: 5 });
    for (let i = 0; i < 3; i++) await expect(impatient.queue.list({ limit: 5 })).rejects.toThrow('try again'); // 800 ms each
    shaky.resume();
    await expect(answer).resolves.toMatchObject({ data: [] });
    expect(patient.told).toEqual([]);
  });

  it('works when the first connection breaks at once', async () => {
    const proxy = await startRedisProxy(url);
    const { prefix } = await openYard(url);
    for (let passes = 0; passes <= 8; passes++) {
      let messages = 0;
      proxy.cut(() => (messages++ === passes ? 'before' : null));
      const { queue } = open(proxy.url, prefix);
      const result = await untilAnswered(() => queue.enqueue(requestOf(), `passes ${passes}`));
      expect(jobOf(result).status).toBe('queued');
    }
  });

  it.each(['not there', 'frozen'])(
    'answers while Redis is %s at first, and works when Redis comes',
    async (how) => {
      const shaky = await openShaky();
      if (how === 'frozen') {
        await shaky.start();
        shaky.pause();
      }
      const { queue, told } = open(shaky.url, 'late');
      for (let i = 0; i < 3; i++) {
        const id = '01a21066-7aa2-71b0-be62-6566b7c4334c';
        expect(await failAll(queue, id, /nothing was done/)).toBeLessThan(1000);
      }
      if (how === 'frozen') shaky.resume();
      else await shaky.start();
      const { ms } = await timed(() => untilAnswered(() => queue.enqueue(requestOf())));
      console.log(`answers ${ms.toFixed(0)} ms after Redis does`);
      expect(ms).toBeLessThan(2000);
      await untilTold(told, 2);
      expect(told).toEqual([expect.stringContaining('away: '), 'back']);
      expect((await queue.list({ limit: 10 })).data).toHaveLength(1); // and none of the calls that failed
    },
  );
});

describe.concurrent('cancel', () => {
  it('has one outcome when it races with the end of the job, and every later read agrees', async () => {
    const yard = await openYard(url);
    const worker = startWorkerProcess(yard); // a process of its own, since starting a trainer blocks it
    const seen: string[] = [];
    for (let round = 0; round < (faults.isLong ? 30 : 4); round++) {
      const { id } = await yard.enqueue({ epochs: 1 });
      await yard.untilJob(id, 'to be nearly done', ({ progress, finishedAt }) => {
        return finishedAt !== null || (progress?.fraction ?? 0) >= 0.5 || round % 3 === 0;
      });
      await new Promise((resolve) => setTimeout(resolve, round * 7));
      const [first, second] = await Promise.all([yard.queue.cancel(id), yard.queue.cancel(id)]);
      const ended = await yard.untilEnded(id);
      expect(['succeeded', 'cancelled']).toContain(ended.status);
      const final = [first, second].map((result) => ('job' in result ? result.job : null));
      const claimed = final.filter((job) => job === null || job.finishedAt !== null);
      expect(claimed.map((job) => job?.status)).toEqual(claimed.map(() => ended.status));
      expect(await yard.queue.cancel(id)).toMatchObject({ job: { status: ended.status } });
      expect((await yard.find(id)).status).toBe(ended.status);
      seen.push(ended.status);
    }
    await endProcess(worker, 'SIGTERM');
    console.log(`cancelled in a race with the end: ${seen.join(', ')}`);
  });
});

/** Alone, since it has so little time. */
describe('a call without a connection', () => {
  it('fails at once without a connection, saying that nothing was done; each outage is reported once', async () => {
    const shaky = await openShaky();
    await shaky.start();
    const yard = await openYard(shaky.url);
    const { queue, told } = open(shaky.url, yard.prefix);
    await until('a connection', () => isConnected(queue), Boolean);
    for (let outage = 1; outage <= 2; outage++) {
      await shaky.stop();
      await until(
        'the end of the connection',
        () => isConnected(queue),
        (connected) => !connected,
      );
      expect(await failAll(queue, '01a21066-7aa2-71b0-be62-6566b7c4334c', /nothing was done/)).toBeLessThan(
        200,
      );
      await untilTold(told, 2 * outage - 1);
      await shaky.start();
      const { ms } = await timed(() => untilAnswered(() => queue.enqueue(requestOf())));
      console.log(`answers ${ms.toFixed(0)} ms after Redis does`);
      expect(ms).toBeLessThan(1500);
      await untilTold(told, 2 * outage);
    }
    expect(told.map((text) => text.slice(0, 4))).toEqual(['away', 'back', 'away', 'back']);
  });
});
