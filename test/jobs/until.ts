/** Waits for conditions that can only be polled. */
import { setTimeout as delay } from 'node:timers/promises';

const pollEveryMs = 25; // most reads are of Redis, by the process that also runs a worker

/** Reads until `ready` holds and returns the value; fails after `withinMs` with the last value. */
export async function until<T>(
  what: string,
  read: () => T | Promise<T>,
  ready: (value: T) => boolean,
  withinMs = 240_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await read();
    if (ready(value)) return value;
    if (performance.now() > deadline) {
      throw new Error(`expected ${what} within ${withinMs} ms, got ${JSON.stringify(value)}`);
    }
    await delay(pollEveryMs);
  }
}

const tickMs = 5;

/** A clock that a busy machine slows down. */
export type OwnTime = {
  /** Milliseconds since the start, in steps of 5. */
  ms(): number;
  /** Milliseconds between two times of `Date.now()` since the start. */
  msBetween(from: number, to: number): number;
  stop(): void;
};

/**
 * Measures time as this process had it: by a timer, of which a late tick counts as one tick. Time in which the machine
 * ran something else does not count, so that a bound on it holds on a busy machine too.
 */
export function startOwnTime(): OwnTime {
  const ticks: number[] = []; // Date.now()
  const timer = setInterval(() => ticks.push(Date.now()), tickMs);
  return {
    ms: () => ticks.length * tickMs,
    msBetween: (from, to) => ticks.filter((tick) => tick > from && tick <= to).length * tickMs,
    stop: () => clearInterval(timer),
  };
}

/** The result of a call and how long it took, in this process's own time. */
export async function timed<T>(call: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const time = startOwnTime();
  try {
    const value = await call();
    return { value, ms: time.ms() };
  } finally {
    time.stop();
  }
}
