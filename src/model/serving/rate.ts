/** How fast a queue is worked off, measured only while there is work: idle time says nothing about speed. */

export type RateMeter = {
  /** Work is there; called again before `idle` it changes nothing. */
  busy(): void;
  /** One item is done. */
  count(): void;
  /** Nothing is left to do. */
  idle(): void;
  /** Items a second. */
  perSecond(): number;
};

const windowMs = 1000; // of busy time

/** `initial`: items a second, until the first window of busy time is over. */
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
    count() {
      addTime();
      items++;
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
