/** A component's data from the API: reloaded when the server is back, and regularly where wanted. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { pause } from '../../../src/client/index.ts';
import { useApp } from '../app-context.ts';
import type { Outcome, Problem } from './outcome.ts';

type Shown<T> = { readonly data: T | null; readonly problem: Problem | null };

/**
 * Calls `load` when the component appears, when `inputs` change, every `everyMs` while the page is visible, and after the
 * server's Retry-After. Keeps the last data meanwhile.
 */
export function useAnswer<T>(
  load: (signal: AbortSignal) => Promise<Outcome<T>>,
  inputs: readonly unknown[],
  everyMs?: number,
): Shown<T> & { reload: () => void } {
  const [shown, show] = useState<Shown<T>>({ data: null, problem: null });
  const [ownReloads, setOwnReloads] = useState(0);
  const { reloads } = useApp().api;
  useEffect(() => {
    const ending = new AbortController();
    void keepAsking(load, show, everyMs, ending.signal);
    return () => ending.abort();
  }, [...inputs, everyMs, ownReloads, reloads.value]);
  return { ...shown, reload: useCallback(() => setOwnReloads((count) => count + 1), []) };
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
