/** A Redis that answers and refuses: each outage is reported once when it begins and ends, commands are retried with pauses, and the job goes on at the same attempt. */
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { queueName, type TrainJob } from '../../../src/jobs/contract.ts';
import { type JobQueue, openQueue } from '../../../src/jobs/producer/queue.ts';
import { isLong } from '../../long.ts';
import { trainersOf, untilGone } from '../processes.ts';
import { startRedisServer } from '../redis-server.ts';
import { until } from '../until.ts';
import { buildYard, lasting, openYard, requestOf, shortTimings, type Yard } from '../yard.ts';

const server = await startRedisServer();
const admin = new Redis(server.url);
afterAll(() => admin.disconnect());

const lockMs = shortTimings.lock!;

/** For a job whose steps cost little and come seldom. */
const patient = { ...lasting, stepPauseMs: 200 };
const long = { epochs: 200, trainImages: 3200, batchSize: 8 };

type Refusal = {
  readonly name: string;
  readonly code: string; // of the replies, as INFO errorstats counts them
  readonly begin: (redis: Redis) => Promise<unknown>;
  readonly end: (redis: Redis) => Promise<unknown>;
  readonly writeCode?: string; // of replies to plain writes, unless the same
  readonly says?: RegExp; // unless one of the codes
  readonly isLongOnly?: true; // of a job that runs through them; a cancel meets each
};

const config = (name: string, value: string) => (redis: Redis) => redis.config('SET', name, value);
const acl = (rule: string) => (redis: Redis) => redis.call('ACL', 'SETUSER', 'default', ...rule.split(' '));

const refusals: Refusal[] = [
  {
    name: 'a replica after a failover',
    code: 'READONLY',
    begin: (redis) => redis.replicaof('127.0.0.1', 1),
    end: (redis) => redis.replicaof('NO', 'ONE'),
  },
  {
    name: 'a replica that answers no reads either',
    code: 'MASTERDOWN',
    writeCode: 'READONLY',
    begin: async (redis) => {
      await config('replica-serve-stale-data', 'no')(redis);
      await redis.replicaof('127.0.0.1', 1);
    },
    end: async (redis) => {
      await redis.replicaof('NO', 'ONE');
      await config('replica-serve-stale-data', 'yes')(redis);
    },
  },
  { name: 'a full memory', code: 'OOM', begin: config('maxmemory', '1'), end: config('maxmemory', '0') },
  {
    name: 'a primary that has lost its replicas',
    code: 'NOREPLICAS',
    isLongOnly: true,
    begin: config('min-replicas-to-write', '1'),
    end: config('min-replicas-to-write', '0'),
  },
  {
    name: 'a user without the permission for scripts',
    code: 'NOPERM',
    isLongOnly: true,
    begin: acl('-evalsha -eval'),
    end: acl('+@all'),
  },
  {
    name: 'a user without the permission to write',
    code: 'NOPERM',
    begin: acl('-@write'),
    end: acl('+@all'),
    says: /NOPERM|can't run this command/,
  },
  { name: 'a user without its keys', code: 'NOPERM', begin: acl('resetkeys ~other:*'), end: acl('allkeys') },
];

/** How many replies with this code Redis has given. */
async function countReplies(code: string): Promise<number> {
  const stats = await admin.info('errorstats');
  return Number(new RegExp(`errorstat_${code}:count=(\\d+)`).exec(stats)?.[1] ?? 0);
}

/** A worker's log, as lines of level warn and above. */
function collectLog() {
  const lines: string[] = [];
  const stream = {
    write: (text: string) => {
      const { msg, error } = JSON.parse(text) as { msg: string; error?: string };
      lines.push(error === undefined ? msg : `${msg}: ${error}`);
    },
  };
  return { log: pino({ level: 'warn' }, stream), lines };
}

type Answer = Awaited<ReturnType<JobQueue['enqueue']>>;

function jobOf(answer: Answer | string | undefined): TrainJob {
  if (typeof answer !== 'object' || !('job' in answer))
    throw new Error(`expected a job, got ${JSON.stringify(answer)}`);
  return answer.job;
}

const inTurn = refusals.filter(({ isLongOnly = false }) => isLong || !isLongOnly);

describe('a job that runs through one refusal after the other', () => {
  const { log, lines } = collectLog();
  const told: string[] = []; // by the API
  const accepted: TrainJob[] = []; // after each refusal
  let yard: Yard;
  let closeYard: () => Promise<void>;
  let queue: JobQueue;
  let job: TrainJob;
  let trainers: number[];

  beforeAll(async () => {
    [yard, closeYard] = await buildYard(server.url);
    await yard.startWorker({ log, timings: { ...patient, longestRetry: 1000, stepPauseMs: 250 } });
    queue = openQueue({
      redisUrl: server.url,
      prefix: yard.prefix,
      probePauses: { firstMs: 50, longestMs: 100, settledMs: 100 },
      onError: (error) => told.push(error.message),
      onRecovery: () => told.push('back'),
    });
    job = await yard.enqueue(long);
    await yard.untilJob(job.id, 'to run', ({ progress }) => progress !== null);
    trainers = trainersOf(process.pid);
  });
  afterAll(async () => {
    await queue.close();
    await closeYard();
  });

  const ask = (): Promise<Answer | string | undefined> =>
    queue.enqueue(requestOf()).catch((error: { code?: string }) => error.code);
  const outages = () => lines.filter((line) => !line.startsWith('Redis is back'));

  it.each(inTurn)(
    '$name ($code): each is told once when it begins and ends, by worker and API, is asked seldom, and costs no job',
    async ({ code, writeCode = code, begin, end, says = new RegExp(`${code}|${writeCode}`) }) => {
      lines.length = 0;
      told.length = 0;
      await admin.config('RESETSTAT');
      await begin(admin);
      onTestFinished(async () => void (await end(admin))); // the tests after one that fails have a Redis that answers
      const before = performance.now();
      await until('the worker to meet it', outages, (found) => found.length > 0);
      expect(await ask()).toBe('REDIS_UNAVAILABLE');
      await until(
        'more tries',
        () => countReplies(code),
        (count) => count >= 6,
      );
      await until(
        "the job's lock to expire",
        () => performance.now() - before,
        (ms) => ms > lockMs, // nobody has renewed it since
      );
      const perSecond = (await countReplies(code)) / ((performance.now() - before) / 1000);
      console.log(`${code}: ${perSecond.toFixed(1)} refusals a second`);
      expect(perSecond).toBeLessThan(50);
      expect(await ask()).toBe('REDIS_UNAVAILABLE');
      const health = await queue.health().catch((error: Error) => ({ refusal: error.message }));
      expect(health.refusal).toMatch(says);
      expect(outages()).toEqual([expect.stringMatching(says)]);
      expect(told).toEqual([expect.stringMatching(says)]);

      await end(admin);
      await until(
        'the worker to see its end',
        () => lines,
        (found) => found.some((line) => line.startsWith('Redis is back')),
      );
      accepted.push(jobOf(await until('a job to be taken', ask, (answer) => typeof answer === 'object')));
      await until(
        'the API to see its end',
        async () => {
          await queue.health();
          return told;
        },
        (found) => found.includes('back'),
      );
      expect((await queue.health()).refusal).toBeNull();
      const { progress } = await yard.find(job.id);
      await yard.untilJob(job.id, 'to go on', (now) => now.progress!.step > (progress?.step ?? 0));
      expect(await yard.find(job.id)).toMatchObject({ status: 'running', attempt: 1, resumedFromStep: null });
      expect(trainersOf(process.pid)).toEqual(trainers);
      expect(lines).toEqual([expect.stringMatching(says), expect.stringMatching(/^Redis is back/)]);
      expect(told).toHaveLength(2);
    },
    120_000,
  );

  it('is cancelled at the end, and the jobs that were accepted in between run', async () => {
    const [first, ...others] = accepted;
    expect(others).toHaveLength(inTurn.length - 1);
    for (const [index, { id }] of others.entries()) {
      expect(await yard.find(id)).toMatchObject({ status: 'queued', queuePosition: index + 2 });
    }
    for (const { id } of others) await yard.queue.cancel(id);
    await yard.queue.cancel(job.id);
    expect(await yard.untilEnded(job.id)).toMatchObject({ status: 'cancelled', attempt: 1 });
    expect(await yard.untilEnded(first!.id)).toMatchObject({ status: 'succeeded' });
  });
});

describe('two workers, one with a job, while Redis refuses writes for longer than a lock', () => {
  it('neither run the job twice nor count an attempt', async () => {
    const yard = await openYard(server.url);
    const { log, lines } = collectLog();
    for (const _ of [1, 2]) await yard.startWorker({ log, timings: patient });
    const { id } = await yard.enqueue(long);
    await yard.untilJob(id, 'to run', ({ progress }) => progress !== null);
    const trainers = trainersOf(process.pid);
    expect(trainers).toHaveLength(1);
    await admin.replicaof('127.0.0.1', 1);
    await until(
      "the job's lock to expire",
      () => admin.pttl(`${yard.prefix}:${queueName}:${id}:lock`), // -2 once it has
      (ms) => ms <= 0,
    );
    await until(
      'both workers to meet it',
      () => lines,
      (found) => found.length === 2,
    );
    await admin.replicaof('NO', 'ONE');
    await until(
      'both to see its end',
      () => lines.filter((line) => line.startsWith('Redis is back')),
      (found) => found.length === 2,
    );
    const { progress } = await yard.find(id);
    await yard.untilJob(id, 'to go on', (now) => now.progress!.step > (progress?.step ?? 0));
    expect(await yard.find(id)).toMatchObject({ status: 'running', attempt: 1, resumedFromStep: null });
    expect(trainersOf(process.pid)).toEqual(trainers);
    await yard.queue.cancel(id);
    await yard.untilEnded(id);
  });
});

const whole = refusals.filter(({ says }) => !says);

describe.each(whole)('a cancel that is refused: $name ($code)', ({ code, begin, end }) => {
  it('did not happen, and says so', async () => {
    const yard = await openYard(server.url);
    const { id } = await yard.enqueue();
    await begin(admin);
    await expect(yard.queue.cancel(id)).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringMatching(new RegExp(`got: .*${code}.*; the job was not cancelled; `)),
    });
    await end(admin);
    expect(await yard.find(id)).toMatchObject({ status: 'queued' });
  });
});

describe('a job whose trainer ends while Redis refuses writes', () => {
  it('succeeds afterwards at the same attempt, with all its epochs', async () => {
    const yard = await openYard(server.url);
    await yard.startWorker({ timings: { ...shortTimings, stepPauseMs: 100 } });
    const { id } = await yard.enqueue({ epochs: 2, trainImages: 320 });
    await yard.untilJob(id, 'to run', ({ progress }) => progress !== null);
    const [trainer] = trainersOf(process.pid);
    await admin.config('SET', 'maxmemory', '1');
    await untilGone(trainer!);
    await until(
      "the job's lock to expire",
      () => admin.exists(`${yard.prefix}:${queueName}:${id}:lock`),
      (count) => count === 0,
    );
    await admin.config('SET', 'maxmemory', '0');
    const ended = await yard.untilEnded(id);
    expect(ended).toMatchObject({ status: 'succeeded', attempt: 1, epochs: { length: 2 } });
  });
});
