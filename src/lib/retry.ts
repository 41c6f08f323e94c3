/** Repeats what fails for a cause that may pass, such as too many open files. */
import { setTimeout as delay } from 'node:timers/promises';
import { isCode } from './files.ts';

export type RetryOptions = {
  readonly codes: readonly string[]; // of the errors after which to try again
  readonly tries: number; // in all
  readonly pauseMs: number;
  readonly signal: AbortSignal; // ends a pause
};

/** @throws the last error of `work`, or any error of it whose code is not one of `codes` */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { codes, tries, pauseMs, signal } = options;
  for (let count = 1; ; count++) {
    try {
      return await work();
    } catch (error) {
      if (count === tries || !isCode(error, ...codes)) throw error;
      await delay(pauseMs, undefined, { signal });
    }
  }
}
