import { expect, it } from 'vitest';
import { retry } from '../../src/lib/retry.ts';

const failure = (code: string) => Object.assign(new Error(code), { code });
const { signal } = new AbortController();
const options = { codes: ['BUSY'], tries: 3, pauseMs: 0, signal };

/** Fails with each of `codes` in turn, then succeeds; counts the calls. */
function failing(...codes: string[]) {
  let calls = 0;
  const work = async () => {
    const code = codes[calls++];
    if (code !== undefined) throw failure(code);
    return 'done';
  };
  return { work, calls: () => calls };
}

it('tries again until it succeeds', async () => {
  const { work, calls } = failing('BUSY', 'BUSY');
  expect(await retry(work, options)).toBe('done');
  expect(calls()).toBe(3);
});

it('gives up after so many tries, and at once where the cause is another', async () => {
  const busy = failing('BUSY', 'BUSY', 'BUSY');
  await expect(retry(busy.work, options)).rejects.toThrow('BUSY');
  expect(busy.calls()).toBe(3);
  const damaged = failing('BUSY', 'DAMAGED');
  await expect(retry(damaged.work, options)).rejects.toThrow('DAMAGED');
  expect(damaged.calls()).toBe(2);
});

it('does not wait once its signal has aborted', async () => {
  const { work, calls } = failing('BUSY');
  const aborted = { ...options, pauseMs: 600_000, signal: AbortSignal.abort() };
  await expect(retry(work, aborted)).rejects.toThrow('aborted');
  expect(calls()).toBe(1);
});
