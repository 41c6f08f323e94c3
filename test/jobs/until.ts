/** Waits for conditions that can only be polled. */
import { setTimeout as delay } from 'node:timers/promises';

/** Reads until `ready` holds and returns the value; fails after `withinMs` with the last value. */
export async function until<T>(
  what: string,
  read: () => T | Promise<T>,
  ready: (value: T) => boolean,
  withinMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await read();
    if (ready(value)) return value;
    if (performance.now() > deadline) {
      throw new Error(`expected ${what} within ${withinMs} ms, got ${JSON.stringify(value)}`);
    }
    await delay(10);
  }
}

/** The result of a call and how long it took. */
export async function timed<T>(call: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const startedAt = performance.now();
  const value = await call();
  return { value, ms: performance.now() - startedAt };
}
