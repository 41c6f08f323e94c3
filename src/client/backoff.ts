/** How long to wait for a server that is away: longer each time, until it is heard again. */

export type Backoff = {
  /** Milliseconds to wait now, or what the server asked for if that is longer. */
  next(retryAfterSeconds: number | null): number;
  reset(): void;
  /** What the server wants the first wait to be; milliseconds. */
  setFirst(ms: number): void;
  /** @throws the signal's reason when it aborts */
  wait(ms: number, signal: AbortSignal | undefined): Promise<void>;
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
    wait,
  };
}

/** In browsers as well, which have no node:timers/promises. */
async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
