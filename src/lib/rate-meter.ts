/** Measures how fast a queue empties, only while it has work: idle time says nothing about speed. */

export type RateMeter = {
  /** There is work. Calling it again before `idle` changes nothing. */
  busy(): void;
  /** So many items are done, one unless it is said. */
  count(done?: number): void;
  /** No work is left. */
  idle(): void;
  /** Items a second. */
  perSecond(): number;
};

const windowMs = 1000; // of busy time

/** `initial`: the rate, in items a second, until the first window of busy time is over. */
export function createRateMeter(initial: number, now = () => performance.now()): RateMeter {
  let rate = initial;
  let items = 0; // in this window
  let busyMs = 0; // of this window
  let since: number | null = null; // null: idle

  const addTime = () => {
    if (since === null) return;
    busyMs += now() - since;
    since = now();
  };
  return {
    busy() {
      since ??= now();
    },
    count(done = 1) {
      addTime();
      items += done;
      if (busyMs < windowMs) return;
      rate = (1000 * items) / busyMs;
      items = 0;
      busyMs = 0;
    },
    idle() {
      addTime();
      since = null;
    },
    perSecond: () => rate,
  };
}
