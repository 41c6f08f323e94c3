/** Redis calls with a deadline, for use in request handlers. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { isDefect, redisUnavailable } from '../redis/errors.ts';
import type { Outage } from '../redis/outage.ts';

const answerWithinMs = 800; // leaves time for the rest of an answer within a second

/** `part` names the call among others in an outage; `next` is what a caller should know and do when it fails. */
export type Answer = <T>(part: string, call: () => Promise<T>, next: string) => Promise<T>;

/**
 * Runs a call on Redis with a time limit. The guard on the connection is needed since BullMQ would
 * wait for it without end; only the very first connection is waited for.
 */
export function createAnswer(redis: Redis, outage: Outage): Answer {
  let wasConnected = false;
  let firstWaitIsOver = false; // only calls of the first moment wait: they would pile up
  const connected = new Promise<void>((resolve) => {
    redis.once('ready', () => {
      wasConnected = true;
      resolve();
    });
  });
  return async (part, call, next) => {
    const waits = !wasConnected;
    let sent = false;
    const timer = new AbortController();
    const timeout = delay(answerWithinMs, undefined, { signal: timer.signal }).then(() => {
      firstWaitIsOver = true;
      const why = sent ? null : outage.reason(); // why there is no connection
      throw new Error(why ?? `no answer in ${answerWithinMs} ms`);
    });
    timeout.catch(() => {}); // aborted when the call is done first
    const callWhenConnected = async () => {
      await connected;
      timer.signal.throwIfAborted(); // the answer was that this is not carried out
      sent = true;
      return call();
    };
    try {
      if ((wasConnected || firstWaitIsOver) && redis.status !== 'ready')
        throw new Error(outage.reason() ?? `connection is "${redis.status}"`);
      const answer = await Promise.race([callWhenConnected(), timeout]);
      outage.worked(part);
      return answer;
    } catch (error) {
      if (isDefect(error)) throw error;
      if (!sent || !waits) outage.failed(part, error); // else the connection came, late for this call
      throw redisUnavailable(error, sent ? next : 'nothing was done; try again');
    } finally {
      timer.abort();
    }
  };
}
