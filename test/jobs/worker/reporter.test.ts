import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { emptyReport, type TrainJobReport } from '../../../src/jobs/contract.ts';
import type { JobEvent } from '../../../src/jobs/events.ts';
import { connectConsumer } from '../../../src/jobs/redis/connect.ts';
import { createReporter } from '../../../src/jobs/worker/reporter.ts';
import type { TrainerMessage } from '../../../src/jobs/worker/trainer-supervisor.ts';
import { closeAfterTest } from '../../closing.ts';
import { createRedisServer } from '../redis-server.ts';

const redis = await createRedisServer();
afterEach(() => redis.stop());

const log = pino({ level: 'silent' });
const key = 'job';
const token = 'mine';
const engine: TrainerMessage = {
  type: 'engine',
  engine: { name: 'wasm', device: 'CPU', gpu: false, fallback: null },
};
const epochOf = (epoch: number) => ({
  epoch,
  trainLoss: 1,
  testLoss: 1,
  testAccuracy: 0.9,
  seconds: 1,
  modelVersion: epoch,
});
const noOutage = { failed: () => {}, worked: () => {} };
const began: TrainerMessage = { type: 'resumed', from: null, warnings: [] };

/** A job that is held, and what Redis has of it. */
async function holdJob() {
  await redis.start();
  const client = connectConsumer(redis.url);
  closeAfterTest(async () => client.disconnect());
  await client.set(`${key}:lock`, token);
  const report = (attempt: number, before: TrainJobReport = emptyReport) =>
    createReporter({ log: { redis: client, key }, token, attempt }, before, log, noOutage);
  const typesTold = async () =>
    (await client.lrange(`${key}:logs`, 0, -1)).map((text) => (JSON.parse(text) as JobEvent).type);
  return { client, report, typesTold };
}

describe('a reporter', () => {
  it('is heard at its first word, also where BullMQ gives one token to two attempts', async () => {
    const { report, typesTold } = await holdJob();
    for (const attempt of [1, 2]) {
      const reporter = report(attempt);
      for (const message of [engine, began]) reporter.onMessage(message);
      await reporter.flush();
    }
    expect(await typesTold()).toEqual(['started', 'started']);
  });

  it('tells of epochs that the attempt before has published and could not tell', async () => {
    const { report, typesTold } = await holdJob();
    const reporter = report(2, { ...emptyReport, epochs: [epochOf(1)] });
    const from = { step: 20, published: [epochOf(1), epochOf(2)] };
    for (const message of [engine, { type: 'resumed', from, warnings: [] }] as const)
      reporter.onMessage(message);
    await reporter.flush();
    expect(await typesTold()).toEqual(['epoch', 'checkpoint', 'started']);
  });

  it('writes at its end what Redis has refused before', async () => {
    const { client, report, typesTold } = await holdJob();
    const reporter = report(1);
    await client.config('SET', 'maxmemory', '1');
    for (const message of [engine, began]) reporter.onMessage(message);
    await reporter.flush();
    expect(await typesTold()).toEqual([]);
    await client.config('SET', 'maxmemory', '0');
    await reporter.flush();
    expect(await typesTold()).toEqual(['started']);
    await reporter.flush();
    expect(await typesTold()).toEqual(['started']);
  });
});
