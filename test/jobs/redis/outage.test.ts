/** When an outage begins and ends. Which causes it names is in causes.test.ts, with a real Redis. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createOutage } from '../../../src/jobs/redis/outage.ts';

const pauses = { firstMs: 100, longestMs: 100, settledMs: 1000 };
const timeout = () => new Error('Command timed out');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

function watch() {
  const told: string[] = [];
  const redis = { works: true };
  const outage = createOutage({
    probe: async () => {
      if (!redis.works) throw timeout();
    },
    onCause: (reason) => told.push(reason),
    onWorking: () => told.push('works'),
    onEnd: (seconds) => told.push(`back after ${seconds.toFixed(1)} s`),
    pauses,
  });
  return { outage, redis, told };
}

it('is told once, and ends when nothing has failed for a while after a write', async () => {
  const { outage, redis, told } = watch();
  redis.works = false;
  outage.failed('worker', timeout());
  await vi.advanceTimersByTimeAsync(450);
  expect(outage.reason()).toBe('Command timed out');
  redis.works = true;
  await vi.advanceTimersByTimeAsync(50);
  expect(outage.reason()).toBeNull();
  expect(told).toEqual(['Command timed out', 'works']);
  await vi.advanceTimersByTimeAsync(pauses.settledMs);
  expect(told).toEqual(['Command timed out', 'works', 'back after 0.5 s']);
});

it('goes on when something fails soon after a write has succeeded', async () => {
  const { outage, told } = watch();
  outage.failed('worker', timeout());
  await vi.advanceTimersByTimeAsync(600);
  outage.failed('reports', new Error('write EPIPE'));
  expect(outage.reason()).toBe('write EPIPE');
  await vi.advanceTimersByTimeAsync(5000);
  expect(told).toEqual(['Command timed out', 'works', 'works', 'back after 0.7 s']);
});

it('is another one when something fails after its end', async () => {
  const { outage, told } = watch();
  for (let round = 0; round < 2; round++) {
    outage.failed('worker', timeout());
    await vi.advanceTimersByTimeAsync(5000);
  }
  const one = ['Command timed out', 'works', 'back after 0.1 s'];
  expect(told).toEqual([...one, ...one]);
});

it('tells nothing after it is closed', async () => {
  const { outage, told } = watch();
  outage.failed('worker', timeout());
  await vi.advanceTimersByTimeAsync(600);
  outage.close();
  await vi.advanceTimersByTimeAsync(5000);
  outage.failed('worker', timeout());
  expect(told).toEqual(['Command timed out', 'works']);
  expect(vi.getTimerCount()).toBe(0);
});
