/** A missing database, and a Redis user with few permissions. */
import { Redis } from 'ioredis';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { openQueue } from '../../../src/jobs/producer/queue.ts';
import { lookAtRedis } from '../../../src/jobs/redis/check.ts';
import { closeAfterTest } from '../../closing.ts';
import { startRedisServer } from '../redis-server.ts';
import { until } from '../until.ts';
import { openYard, requestOf } from '../yard.ts';

const { url } = await startRedisServer();
const admin = new Redis(url);
afterAll(() => admin.disconnect());
afterEach(() => vi.restoreAllMocks());

/** The URL of a user that may do everything but these commands. */
async function userWithout(...commands: string[]): Promise<string> {
  await admin.call('ACL', 'SETUSER', 'limited', 'reset', 'on', '>secret', 'allkeys', 'allchannels', '+@all');
  await admin.call('ACL', 'SETUSER', 'limited', ...commands.map((command) => `-${command}`));
  return url.replace('//', '//limited:secret@');
}

describe('a database that REDIS_URL names', () => {
  it.each(['99', '16'])('is refused as %s where there are 16', async (database) => {
    await expect(lookAtRedis(`${url}/${database}`)).rejects.toMatchObject({
      code: 'REDIS_DATABASE_MISSING',
      message: expect.stringContaining(`expected database ${database} of REDIS_URL`),
    });
  });

  it.each(['', '/', '/0', '/15'])('is accepted as "%s"', async (path) => {
    expect(await lookAtRedis(`${url}${path}`)).toEqual({ unreachable: null });
  });

  it('is never replaced by database 0, also when it is missing later', async () => {
    const told: string[] = [];
    const queue = openQueue({
      redisUrl: `${url}/99`,
      prefix: 'strayed',
      onError: (error) => told.push(error.message),
    });
    closeAfterTest(() => queue.close());
    await until(
      'the refusal to be told',
      () => told,
      ({ length }) => length > 0,
    );
    await expect(queue.enqueue(requestOf())).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringContaining('DB index is out of range'),
    });
    expect(await admin.keys('strayed*')).toEqual([]);
    expect(told).toEqual([expect.stringContaining('DB index is out of range')]);
  });
});

describe('a Redis user that may not run', () => {
  it.each([
    [['info'], null],
    [['client|list'], 'noeviction'],
    [['client|setname'], 'noeviction'],
    [['@dangerous', '@admin'], null], // as managed services have it
  ])(
    '%j can train all the same',
    async (commands, evictionPolicy) => {
      const warn = vi.spyOn(console, 'warn');
      const yard = await openYard(await userWithout(...commands));
      expect(await lookAtRedis(yard.redisUrl)).toEqual({ unreachable: null });
      await yard.startWorker({ device: 'a test' });
      const health = await until(
        'the worker to be announced',
        () => yard.queue.health(),
        ({ workers }) => workers.length > 0,
      );
      expect(health).toEqual({
        workers: [{ device: 'a test', trouble: null }],
        evictionPolicy,
        refusal: null,
      });
      const job = await yard.enqueue();
      expect(await yard.untilEnded(job.id)).toMatchObject({ status: 'succeeded' });
      expect(warn).not.toHaveBeenCalled();
    },
    90_000,
  );
});
