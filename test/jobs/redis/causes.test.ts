/** The causes of an outage: the log names the real one, once for each change, and what a person has to correct. */
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { openFeed } from '../../../src/jobs/producer/event-feed.ts';
import { type JobQueue, openQueue } from '../../../src/jobs/producer/queue.ts';
import { connectProducer, connectSubscriber } from '../../../src/jobs/redis/connect.ts';
import { closeAfterTest } from '../../closing.ts';
import { createRedisServer } from '../redis-server.ts';
import { until } from '../until.ts';
import { isConnected, requestOf } from '../yard.ts';
import { bulk, greet, startScriptedRedis } from './scripted-redis.ts';

const server = await createRedisServer();
afterEach(() => server.stop());

function open(redisUrl: string) {
  const told: string[] = [];
  const parts: string[] = [];
  const queue = openQueue({
    redisUrl,
    probePauses: { firstMs: 50, longestMs: 100, settledMs: 100 },
    onError: (error, refused) => told.push(`${refused ? 'refuses' : 'away'}: ${error.message}`),
    onRecovery: () => told.push('back'),
    onPartRefused: (part, reason) => parts.push(`${part}: ${reason}`),
  });
  closeAfterTest(() => queue.close());
  return { queue, told, parts };
}

const untilTold = (told: string[], count: number) =>
  until(
    `${count} lines`,
    () => told,
    ({ length }) => length >= count,
  );

const messageOfEnqueue = (queue: JobQueue) =>
  queue.enqueue(requestOf()).then(
    () => 'queued',
    (error: Error) => error.message,
  );

async function startServer(): Promise<Redis> {
  await server.start();
  const admin = new Redis(server.url);
  closeAfterTest(async () => admin.disconnect());
  return admin;
}

const limited = () => server.url.replace('//', '//limited:secret@');
const allow = (admin: Redis, ...rules: string[]) =>
  admin.call('ACL', 'SETUSER', 'limited', 'on', '>secret', 'allkeys', 'allchannels', '+@all', ...rules);

describe('the cause of an outage', () => {
  it('is LOADING while Redis loads its data, and ends with it', async () => {
    const redis = await startScriptedRedis(([name = '', ...rest]) => {
      if (name === 'hello' || name === 'client') return greet([name, ...rest]);
      if (name === 'info') return bulk('redis_version:7.0.0\r\nloading:1\r\nloading_eta_seconds:1');
      return '-LOADING Redis is loading the dataset in memory';
    });
    const { queue, told } = open(redis.url);
    await untilTold(told, 1);
    expect(await messageOfEnqueue(queue)).toMatch(/LOADING.*nothing was done/);
    redis.answer(greet);
    await untilTold(told, 2);
    expect(told).toEqual([expect.stringMatching(/^refuses: LOADING/), 'back']);
  });

  it.each(['LOADING Redis is loading the dataset in memory', 'CLUSTERDOWN Hash slot not served'])(
    'is that of the replies: %s',
    async (reply) => {
      const redis = await startScriptedRedis();
      const { queue, told } = open(redis.url);
      await until(
        'a connection',
        () => redis.commands,
        (commands) => commands.includes('info'),
      );
      redis.answer((words) => (words[0] === 'client' ? greet(words) : `-${reply}`));
      await until(
        'the refusal',
        () => messageOfEnqueue(queue),
        (text) => text.includes(reply),
      );
      expect(await messageOfEnqueue(queue)).toMatch(/the job was not queued; try again$/);
      redis.answer(greet);
      await untilTold(told, 2);
      expect(told).toEqual([`refuses: ${reply}`, 'back']);
    },
  );

  it('is the number of clients, where Redis closes new connections', async () => {
    const admin = await startServer();
    await admin.config('SET', 'maxclients', '1');
    const { queue, told } = open(server.url);
    await untilTold(told, 1);
    expect(await messageOfEnqueue(queue)).toContain('ERR max number of clients reached');
    await admin.config('SET', 'maxclients', '100');
    await untilTold(told, 2);
    expect(told).toEqual(['refuses: ERR max number of clients reached', 'back']);
  });

  it('is told again when it changes, once for each cause, with what to correct', async () => {
    const { queue, told } = open(limited());
    await untilTold(told, 1);
    const admin = await startServer();
    await untilTold(told, 2);
    expect(await messageOfEnqueue(queue)).toMatch(
      /WRONGPASS.*correct the user and the password in REDIS_URL$/,
    );
    await allow(admin, '-set', '-eval', '-evalsha');
    await untilTold(told, 3);
    expect(await messageOfEnqueue(queue)).toMatch(/the job was not queued; grant the Redis user \+/);
    await allow(admin);
    await until(
      'jobs to be taken',
      () => messageOfEnqueue(queue),
      (text) => text === 'queued',
    );
    await untilTold(told, 4);
    expect(told).toEqual([
      expect.stringMatching(/^away: connect ECONNREFUSED/),
      expect.stringMatching(/^refuses: WRONGPASS/),
      expect.stringMatching(/^refuses: NOPERM/),
      'back',
    ]);
  });
});

describe('a refused command that jobs and predictions do not need', () => {
  it('is named once, and readiness stays', async () => {
    const admin = await startServer();
    await allow(admin, '-subscribe');
    const { queue, told, parts } = open(limited());
    await until('a connection', () => isConnected(queue), Boolean);
    const result = await queue.enqueue(requestOf());
    if (!('job' in result)) throw new Error('expected a job');
    const feed = openFeed({ redisUrl: limited(), outage: queue.outage, beatMs: 20 });
    closeAfterTest(async () => feed.close());
    const reading = new AbortController();
    closeAfterTest(async () => reading.abort());
    const batches = feed.follow(queue, result.job.id, 0, reading.signal);
    for (let batch = 0; batch < 4; batch++) await batches.next(); // each beat subscribes again
    await until(
      'the refusal',
      () => parts,
      ({ length }) => length > 0,
    );
    expect(parts).toEqual([expect.stringMatching(/^live events: NOPERM.*'subscribe'/)]);
    expect(told).toEqual([]);
    expect((await queue.health()).refusal).toBeNull();
  });
});

describe('a connection', () => {
  it('runs nothing in database 0 when its SELECT fails late after a reconnection', async () => {
    const redis = await startScriptedRedis();
    const client = connectProducer(`${redis.url}/3`, 800);
    client.on('error', () => {});
    closeAfterTest(async () => client.disconnect());
    await until(
      'a connection',
      () => client.status,
      (status) => status === 'ready',
    );
    let refuse!: (reply: string) => void;
    const late = new Promise<string>((resolve) => {
      refuse = resolve;
    });
    redis.answer((words) => (words[0] === 'select' ? late : greet(words)));
    const before = redis.commands.length;
    redis.disconnectAll();
    await until(
      'a reconnection',
      () => redis.commands.slice(before),
      (sent) => sent.includes('select 3'),
    );
    const write = client.set('key', 'value').catch((error: Error) => error.message);
    refuse('-ERR DB index is out of range');
    expect(await write).toMatch(/Stream isn't writeable/);
    const selects = () => redis.commands.slice(before).filter((command) => command === 'select 3');
    await until('another try', selects, ({ length }) => length >= 3);
    expect(redis.commands.filter((command) => command.startsWith('set '))).toEqual([]);
  });

  it('queues no subscriptions while Redis is away', async () => {
    const client = connectSubscriber(server.url);
    client.on('error', () => {});
    closeAfterTest(async () => client.disconnect());
    for (let i = 0; i < 100; i++)
      await expect(client.subscribe('channel')).rejects.toThrow("Stream isn't writeable");
  });
});
