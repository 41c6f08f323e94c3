import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { emptyReport } from '../../../src/jobs/contract.ts';
import { appendDone, appendReport, channelOf } from '../../../src/jobs/event-log.ts';
import { type JobEvent, jobEventSchema } from '../../../src/jobs/events.ts';
import { openFeed } from '../../../src/jobs/producer/event-feed.ts';
import { closeAfterTest } from '../../closing.ts';
import { trainersOf } from '../processes.ts';
import { startRedisServer } from '../redis-server.ts';
import { until } from '../until.ts';
import { lasting, openYard, shortTimings, smallEpochs, type Yard } from '../yard.ts';

const { url } = await startRedisServer();

const endless = { ...smallEpochs, epochs: 1000 } as const;

async function eventsOf(yard: Yard, id: string): Promise<JobEvent[]> {
  const texts = await yard.queue.events(id, 1, 10_000);
  return texts.map((text) => jobEventSchema.parse(JSON.parse(text)));
}

const untilEvents = (yard: Yard, id: string, what: string, ready: (events: JobEvent[]) => boolean) =>
  until(what, () => eventsOf(yard, id), ready);

const untilDone = (yard: Yard, id: string) =>
  untilEvents(yard, id, 'the job to be done', (events) => events.at(-1)?.type === 'done');

const typesOf = (events: readonly JobEvent[]) => events.map(({ type }) => type);

type Told = { readonly first: number; readonly types: readonly string[] };

/** Follows a job's events to their end, as a client of the API does. */
async function follow(yard: Yard, id: string, after = 0, beatMs?: number): Promise<Told[]> {
  const { redisUrl, prefix, queue } = yard;
  const feed = openFeed({
    redisUrl,
    prefix,
    outage: queue.outage,
    ...(beatMs !== undefined && { beatMs }),
  });
  closeAfterTest(async () => feed.close());
  const told: Told[] = [];
  for await (const { first, events } of feed.follow(queue, id, after, new AbortController().signal)) {
    told.push({ first, types: events.map(({ type }) => type) });
  }
  return told;
}

/** Each reader was told all events of a job that has ended, once and in order; one that comes late, the rest. */
async function expectToldInOrder(yard: Yard, id: string, readers: readonly Told[][]): Promise<void> {
  const all = typesOf(await eventsOf(yard, id));
  for (const told of readers) {
    expect(told.flatMap(({ types }) => types)).toEqual(all);
    let next = 1;
    for (const { first, types } of told) {
      expect(first).toBe(next);
      next += types.length;
    }
  }
  expect((await follow(yard, id, all.length - 2)).flatMap(({ types }) => types)).toEqual(all.slice(-2));
}

describe('the events of a job', () => {
  it('cover the job from the queue to its end, and who follows them gets each once and in order, whenever it starts to read', async () => {
    const yard = await openYard(url);
    const { id } = await yard.enqueue({ ...smallEpochs, epochs: 3 });
    const early = follow(yard, id);
    await yard.startWorker();
    await untilEvents(yard, id, 'an epoch', (found) => found.some(({ type }) => type === 'epoch'));
    const late = follow(yard, id);
    const events = await untilDone(yard, id);
    await expectToldInOrder(yard, id, [await early, await late, await follow(yard, id)]);
    const job = await yard.find(id);
    expect(events[0]).toMatchObject({ type: 'queued', position: 1 });
    expect(events[1]).toMatchObject({
      type: 'started',
      attempt: 1,
      resumedFromStep: null,
      engine: job.engine,
    });
    const told = typesOf(events.slice(2)).filter((type) => type !== 'progress');
    const decided = job.epochs.map(({ promotion }) =>
      promotion!.decision === 'promoted' ? 'promoted' : 'kept',
    );
    expect(told).toEqual([...decided.flatMap((decision) => ['epoch', 'checkpoint', decision]), 'done']);
    expect(events.filter(({ type }) => type === 'epoch')).toMatchObject(
      job.epochs.map(({ epoch, modelVersion, testAccuracy }) => ({ epoch, modelVersion, testAccuracy })),
    );
    expect(events.filter(({ type }) => type === 'checkpoint')).toMatchObject(
      job.epochs.map(({ epoch, modelVersion, testAccuracy }) => ({ epoch, modelVersion, testAccuracy })),
    );
    expect(events.findLast(({ type }) => type === 'progress')).toMatchObject({
      step: 30,
      steps: 30,
      fraction: 1,
    });
    expect(events.at(-1)).toMatchObject({
      status: 'succeeded',
      modelVersion: 3,
      error: null,
      at: job.finishedAt,
    });
  });

  it('tell those in line how they come forward, and that the job waits again when its worker closes', async () => {
    const yard = await openYard(url);
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) ids.push((await yard.enqueue(endless)).id);
    await yard.queue.cancel(ids[1]!);
    const worker = await yard.startWorker({ timings: lasting }); // takes the first
    const positions = async (id: string) =>
      (await eventsOf(yard, id)).map((event) => (event.type === 'queued' ? event.position : event.type));
    await until(
      'the last one to be second',
      () => positions(ids[3]!),
      (told) => told.at(-1) === 2,
    );
    expect(await positions(ids[3]!)).toEqual([4, 3, 2]);
    expect(await positions(ids[2]!)).toEqual([3, 2, 1]);
    expect(await positions(ids[1]!)).toEqual([2, 'done']);
    const [, ended] = await eventsOf(yard, ids[1]!);
    expect(ended).toMatchObject({ status: 'cancelled', modelVersion: null, error: null });

    await untilEvents(yard, ids[0]!, 'a step', (found) => found.some(({ type }) => type === 'progress'));
    await worker.close();
    expect((await eventsOf(yard, ids[0]!)).at(-1)).toMatchObject({ type: 'queued', position: 1 });
  });

  it('end when the job is cancelled or fails, with the reason', async () => {
    const yard = await openYard(url);
    const cancelled = await yard.enqueue(endless);
    const failing = await yard.enqueue({ ...endless, learningRate: 1000 });
    await yard.startWorker({ timings: { ...shortTimings, stepPauseMs: 30 } });
    await untilEvents(yard, cancelled.id, 'it to start', (events) =>
      events.some(({ type }) => type === 'started'),
    );
    await yard.queue.cancel(cancelled.id);
    expect((await untilDone(yard, cancelled.id)).at(-1)).toMatchObject({
      status: 'cancelled',
      modelVersion: null,
      error: null,
    });
    const { error } = await yard.untilEnded(failing.id);
    expect((await untilDone(yard, failing.id)).at(-1)).toMatchObject({ status: 'failed', error });
  });

  it('include a second attempt, and the loss curve continues where that attempt resumed', async () => {
    const yard = await openYard(url);
    const { id } = await yard.enqueue({ ...smallEpochs, epochs: 3 });
    await yard.startWorker({ timings: { ...shortTimings, stepPauseMs: 30 } });
    await yard.untilJob(id, 'to publish two epochs', ({ epochs }) => epochs.length >= 2);
    process.kill(trainersOf(process.pid)[0]!, 'SIGKILL');
    const started = (await untilDone(yard, id)).filter((event) => event.type === 'started');
    const { resumedFromStep } = await yard.find(id);
    expect(started).toMatchObject([
      { attempt: 1, resumedFromStep: null },
      { attempt: 2, resumedFromStep },
    ]);
    const { curve, epochs, steps, status } = (await yard.queue.metrics(id))!;
    const told = curve.map(({ step }) => step);
    expect(told).toEqual([...new Set(told)].toSorted((a, b) => a - b));
    expect(told.at(-1)).toBe(30);
    expect({ steps, status }).toEqual({ steps: 30, status: 'succeeded' });
    expect(epochs).toHaveLength(3);
  });

  it('live exactly as long as the job', async () => {
    const yard = await openYard(url);
    const { id } = await yard.enqueue();
    const redis = connect();
    expect(await redis.exists(logKey(yard, id))).toBe(1);
    expect(await redis.ttl(logKey(yard, id))).toBe(-1); // no time limit of its own
  });
});

describe('appending a report', () => {
  it('happens once when the command is sent twice', async () => {
    const { yard, id, log } = await heldJob('mine');
    const event: JobEvent = { type: 'trouble', at: new Date().toISOString(), error: null };
    const batch = { token: 'mine', mark: '1', report: emptyReport, events: [event] };
    expect(await appendReport(log, batch)).toBe('written');
    expect(await appendReport(log, batch)).toBe('written');
    expect(await appendReport(log, { ...batch, mark: '2' })).toBe('written');
    expect(typesOf(await eventsOf(yard, id))).toEqual(['queued', 'trouble', 'trouble']);
  });

  it('adds no event after the last one', async () => {
    const { yard, id, log } = await heldJob('mine');
    const at = new Date().toISOString();
    await appendDone(log, { type: 'done', at, status: 'cancelled', modelVersion: null, error: null });
    const event: JobEvent = { type: 'trouble', at, error: null };
    const batch = { token: 'mine', mark: '1', report: emptyReport, events: [event] };
    expect(await appendReport(log, batch)).toBe('written');
    expect(typesOf(await eventsOf(yard, id))).toEqual(['queued', 'done']);
  });

  it('changes nothing when the worker has lost the job', async () => {
    const { yard, id, log } = await heldJob('another');
    const event: JobEvent = { type: 'trouble', at: new Date().toISOString(), error: null };
    expect(await appendReport(log, { token: 'mine', mark: '1', report: emptyReport, events: [event] })).toBe(
      'taken',
    );
    expect(typesOf(await eventsOf(yard, id))).toEqual(['queued']);
  });
});

describe('a reader', () => {
  it.each([0, 1])(
    'gets the end of a job whose worker could not report it (after %d reports)',
    async (before) => {
      const { yard, id, log } = await heldJob('mine');
      const following = follow(yard, id, 0, 50);
      for (let i = 0; i < before; i++) {
        const event: JobEvent = { type: 'trouble', at: new Date().toISOString(), error: null };
        await untilFollowed(log.key);
        await appendReport(log, { token: 'mine', mark: `${i}`, report: emptyReport, events: [event] });
      }
      await log.redis.del(`${log.key}:lock`);
      await markCancelled(log);
      const told = (await following).flatMap(({ types }) => types);
      expect(told).toEqual(['queued', ...Array.from({ length: before }, () => 'trouble'), 'done']);
    },
  );

  it('is released when the job is no longer kept', async () => {
    const yard = await openYard(url);
    const { id } = await yard.enqueue();
    const following = follow(yard, id, 0, 50);
    await connect().del(`${yard.prefix}:train:${id}`, logKey(yard, id));
    expect((await following).flatMap(({ types }) => types)).toEqual(['queued']); // it ends
  });
});

/** Sets the cancel mark and nothing else. */
async function markCancelled({ redis, key }: { redis: Redis; key: string }): Promise<void> {
  const data = JSON.parse((await redis.hget(key, 'data'))!) as object;
  await redis.hset(key, 'data', JSON.stringify({ ...data, cancelRequestedAt: new Date().toISOString() }));
}

const untilFollowed = (key: string) =>
  until(
    'the API to subscribe',
    () => connect().pubsub('NUMSUB', channelOf(key)),
    ([, count]) => Number(count) > 0,
  );

const logKey = (yard: Yard, id: string) => `${yard.prefix}:train:${id}:logs`;

function connect(): Redis {
  const redis = new Redis(url);
  closeAfterTest(async () => redis.disconnect());
  return redis;
}

/** A job that is locked with a token. */
async function heldJob(token: string) {
  const yard = await openYard(url);
  const { id } = await yard.enqueue();
  const redis = connect();
  const key = `${yard.prefix}:train:${id}`;
  await redis.set(`${key}:lock`, token);
  return { yard, id, log: { redis, key } };
}
