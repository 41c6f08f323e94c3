/** Retries: how long to wait before the next one, and which problems pass by themselves. */
import { answerOf, type Call, ProblemError } from './problem.ts';

export type Backoff = {
  /** Milliseconds before the next try: exponential, and no less than the server asked for. */
  next(retryAfterSeconds: number | null): number;
  /** Starts again at the first wait. */
  reset(): void;
  /** Sets the first wait, in milliseconds. */
  setFirst(ms: number): void;
};

const longestMs = 5000;

export function createBackoff(firstMs = 250): Backoff {
  let first = firstMs;
  let waits = 0;
  return {
    next: (retryAfterSeconds) => {
      const ms = Math.min(first * 2 ** waits++, Math.max(first, longestMs));
      return Math.max(ms, 1000 * (retryAfterSeconds ?? 0));
    },
    reset: () => {
      waits = 0;
    },
    setFirst: (ms) => {
      first = ms;
    },
  };
}

/** Resolves after `ms`, or as soon as `signal` aborts. Browsers have no node:timers/promises. */
export function pause(ms: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}

/** No server answered. */
export function isUnreachable({ code }: { readonly code: string }): boolean {
  return code === 'SERVER_UNREACHABLE' || code === 'SERVER_SILENT';
}

/** The same call may succeed later: the server is away, starting or busy. */
export function isTransient(problem: { readonly code: string; readonly status: number }): boolean {
  return isUnreachable(problem) || problem.status === 429 || problem.status === 503;
}

/**
 * Repeats a call until it is answered; waits as long as the server asks for.
 *
 * @throws ProblemError for a problem that does not pass by itself
 * @throws the signal's reason when it aborts
 */
export async function answerWhenAvailable<Data>(
  call: () => Promise<Call<Data>>,
  signal: AbortSignal,
): Promise<NonNullable<Data>> {
  const backoff = createBackoff(100);
  for (;;) {
    try {
      return await answerOf(call());
    } catch (error) {
      if (!(error instanceof ProblemError) || !isTransient(error.problem)) throw error;
      await pause(backoff.next(error.retryAfterSeconds), signal);
      signal.throwIfAborted();
    }
  }
}
