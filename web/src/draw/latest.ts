/** Does one piece of work at a time, always on the newest input; inputs in between are skipped. */
import { pause } from '../../../src/client/index.ts';

export type Latest<Input> = {
  submit(input: Input): void;
  /** Drops the waiting input and aborts the work under way. */
  drop(): void;
};

/** @param work resolves with null, or with the milliseconds after which to try again with the newest input */
export function createLatest<Input>(
  work: (input: Input, signal: AbortSignal) => Promise<number | null>,
): Latest<Input> {
  let newest: { readonly input: Input } | null = null;
  let running: AbortController | null = null;

  const run = async (current: AbortController) => {
    while (newest !== null && !current.signal.aborted) {
      const taken: { readonly input: Input } = newest;
      newest = null;
      const againAfterMs = await work(taken.input, current.signal);
      if (current.signal.aborted) return;
      if (againAfterMs === null) continue;
      newest ??= taken;
      await pause(againAfterMs, current.signal);
    }
    if (running === current) running = null;
  };

  return {
    submit: (input) => {
      newest = { input };
      if (running === null) void run((running = new AbortController()));
    },
    drop: () => {
      newest = null;
      running?.abort();
      running = null;
    },
  };
}
