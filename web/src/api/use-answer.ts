/** The answer of a call, for a component: asked for anew when the server has come back, and regularly if wanted. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { returns } from './connection.ts';
import type { Outcome, Problem } from './outcome.ts';
import { pause } from './wait.ts';

type Shown<T> = { readonly data: T | null; readonly problem: Problem | null };

/**
 * What was last answered stays while more is asked for. Asks again when `inputs` change, every `everyMs`
 * while the page can be seen, and where the server has said when to (Retry-After).
 */
export function useAnswer<T>(
  load: (signal: AbortSignal) => Promise<Outcome<T>>,
  inputs: readonly unknown[],
  everyMs?: number,
): Shown<T> & { reload: () => void } {
  const [shown, show] = useState<Shown<T>>({ data: null, problem: null });
  const [reloads, setReloads] = useState(0);
  useEffect(() => {
    const ending = new AbortController();
    void keepAsking(load, show, everyMs, ending.signal);
    return () => ending.abort();
  }, [...inputs, everyMs, reloads, returns.value]);
  return { ...shown, reload: useCallback(() => setReloads((count) => count + 1), []) };
}

async function keepAsking<T>(
  load: (signal: AbortSignal) => Promise<Outcome<T>>,
  show: (change: (before: Shown<T>) => Shown<T>) => void,
  everyMs: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const outcome = await load(signal);
    if (signal.aborted) return;
    if (outcome.ok) show(() => ({ data: outcome.data, problem: null }));
    else show(({ data }) => ({ data, problem: outcome.problem }));
    const pauseMs = nextPauseMs(outcome, everyMs);
    if (pauseMs === undefined) return;
    await pause(pauseMs, signal);
    await untilVisible(signal);
    if (signal.aborted) return;
  }
}

function nextPauseMs(outcome: Outcome<unknown>, everyMs: number | undefined): number | undefined {
  const told = outcome.ok ? null : outcome.problem.retryAfterSeconds;
  return told === null ? everyMs : Math.max(1, told) * 1000;
}

function untilVisible(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (!document.hidden || signal.aborted) return resolve();
    const end = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener('visibilitychange', end);
      signal.removeEventListener('abort', end);
      resolve();
    };
    document.addEventListener('visibilitychange', end);
    signal.addEventListener('abort', end);
  });
}
