/** Calls on Redis that end in time, for those that answer requests. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { messageOf } from '../model/errors.ts';
import { type Outage, redisUnavailable } from './redis.ts';

const answerWithinMs = 800; // leaves time for the rest of an answer within a second

/**
 * Runs a call on Redis with a time limit. The guard on the connection is needed since BullMQ would
 * wait for it without end; only the very first connection is waited for.
 */
export function createAnswer(redis: Redis, outage: Outage) {
  let wasConnected = false;
  let firstWaitIsOver = false; // only calls of the first moment wait: they would pile up
  const connected = new Promise<void>((resolve) => {
    redis.once('ready', () => {
      wasConnected = true;
      resolve();
    });
  });
  return async <T>(call: () => Promise<T>, next: string): Promise<T> => {
    const waits = !wasConnected;
    let sent = false;
    const timer = new AbortController();
    const timeout = delay(answerWithinMs, undefined, { signal: timer.signal }).then(() => {
      firstWaitIsOver = true;
      throw new Error(`no answer in ${answerWithinMs} ms`);
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
        throw new Error(`connection is "${redis.status}"`);
      const answer = await Promise.race([callWhenConnected(), timeout]);
      outage.ends();
      return answer;
    } catch (error) {
      if (isDefect(error)) throw error;
      const reason = isLoss(error) ? 'the connection broke off' : messageOf(error);
      if (!sent || !waits) outage.begins(reason); // else the connection came, late for this call
      throw redisUnavailable(reason, sent ? next : 'nothing was done; try again', error);
    } finally {
      timer.abort();
    }
  };
}

/** ioredis speaks of its options then. */
function isLoss(error: unknown): boolean {
  return error instanceof Error && error.name === 'MaxRetriesPerRequestError';
}

/** Of this program: neither the connection, nor a Redis that is loading, full or read-only. */
function isDefect(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  const isRefusal = error.name === 'ReplyError' && error.message.startsWith('ERR ');
  return isRefusal || error instanceof TypeError || error instanceof RangeError;
}
