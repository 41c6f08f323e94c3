/** Redis calls with a deadline, for use in request handlers. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type Advice, isDefect, redisUnavailable } from '../redis/errors.ts';
import type { Outage } from '../redis/outage.ts';

/**
 * Runs a call on Redis. `part` names it in an outage; `advice` tells the caller what may have happened and what to do
 * when the call was sent and failed.
 *
 * @throws TrainyardError `REDIS_UNAVAILABLE`
 */
export type WithDeadline = <T>(part: string, call: () => Promise<T>, advice: Advice | AdviceOn) => Promise<T>;
type AdviceOn = (error: unknown) => Advice;

const nothingDone: Advice = { outcome: 'nothing was done', next: 'try again' };

/**
 * Without a connection, a call fails at once, since BullMQ would wait for the connection for ever. Only the calls before
 * the first deadline wait for the first connection.
 */
export function createDeadline(redis: Redis, outage: Outage, deadlineMs: number): WithDeadline {
  let wasConnected = false;
  let firstWaitIsOver = false; // if later calls waited as well, they would pile up
  const connected = new Promise<void>((resolve) => {
    redis.once('ready', () => {
      wasConnected = true;
      resolve();
    });
  });
  return async (part, call, advice) => {
    const waits = !wasConnected;
    let sent = false;
    const timer = new AbortController();
    const timeout = delay(deadlineMs, undefined, { signal: timer.signal }).then(() => {
      firstWaitIsOver = true;
      const why = sent ? null : outage.reason(); // why there is no connection
      throw new Error(why ?? `no answer in ${deadlineMs} ms`);
    });
    timeout.catch(() => {}); // aborted when the call is done first
    const callWhenConnected = async () => {
      await connected;
      timer.signal.throwIfAborted(); // the caller has been told that nothing was done
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
      if (!sent || !waits) outage.failed(part, error); // otherwise the connection came, but late for this call
      if (!sent) throw redisUnavailable(error, nothingDone);
      throw redisUnavailable(error, typeof advice === 'function' ? advice(error) : advice);
    } finally {
      timer.abort();
    }
  };
}
