/** Waits for a promise, but not for ever. */

/** The value of a promise that never rejects; null when it takes longer than `ms` or the signal aborts first. */
export function valueWithin<Value>(
  promise: Promise<Value>,
  ms: number,
  signal?: AbortSignal,
): Promise<Value | null> {
  return new Promise((resolve) => {
    const end = (value: Value | null) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      resolve(value);
    };
    const giveUp = () => end(null);
    const timer = setTimeout(giveUp, ms);
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted) giveUp();
    void promise.then(end);
  });
}
