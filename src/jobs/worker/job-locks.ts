/**
 * The locks of the running jobs. A lock expires when Redis refuses to renew it for too long. Nobody can take the job
 * while Redis refuses writes, so the worker keeps its trainer, and regains the lock once it can unless another worker
 * was faster.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Outage } from '../redis/outage.ts';
import { defineScript } from '../redis/script.ts';
import type { StopReason, WorkerTimings } from './options.ts';

export type JobLocks = {
  /** Registers a job that this worker has just taken. */
  hold(job: Pick<Job, 'id' | 'attemptsStarted'>, token: string): HeldLock;
  /** Renews or regains all locks; cancels the jobs that belong to another worker by now. Rejects if Redis refuses. */
  regain(): Promise<void>;
};

export type HeldLock = {
  /** Resolves when the lock is renewed or lost, or the worker closes. Tries again while Redis refuses. */
  settle(): Promise<void>;
  release(): void;
};

type Held = { readonly id: string; readonly token: string; readonly attempt: number };

/**
 * Sets a lock that is missing or has the token. The job has to be active and at the same attempt: BullMQ counts the
 * attempt (`ats`) when a worker takes a job. Returns 0 when the job is not this worker's.
 */
const regainScript = defineScript(`
local lock, job, active, stalled = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local token, milliseconds, id, attempt = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local holder = redis.call('GET', lock)
if holder and holder ~= token then return 0 end
if redis.call('HGET', job, 'ats') ~= attempt or not redis.call('LPOS', active, id) then return 0 end
redis.call('SET', lock, token, 'PX', milliseconds)
redis.call('SREM', stalled, id)
return 1`);

export function createJobLocks(
  worker: Pick<Worker, 'toKey' | 'cancelJob' | 'closing'>,
  redis: Redis,
  outage: Outage,
  { lock: lockMs, firstRetry, longestRetry }: WorkerTimings,
): JobLocks {
  const all = new Set<Held>();

  const regainOne = async ({ id, token, attempt }: Held) => {
    const key = worker.toKey(id);
    const keys = [`${key}:lock`, key, worker.toKey('active'), worker.toKey('stalled')];
    const isOurs = await regainScript(redis, keys, [token, lockMs, id, attempt]).catch((error: unknown) => {
      outage.failed('lock', error);
      throw error;
    });
    outage.worked('lock');
    if (isOurs === 0) worker.cancelJob(id, 'lock lost' satisfies StopReason);
  };

  const settle = async (held: Held) => {
    for (let pauseMs = firstRetry; !worker.closing; pauseMs = Math.min(2 * pauseMs, longestRetry)) {
      try {
        return await regainOne(held);
      } catch {
        await delay(pauseMs);
      }
    }
  };

  return {
    hold: (job, token) => {
      const held = { id: job.id!, token, attempt: job.attemptsStarted };
      all.add(held);
      return { settle: () => settle(held), release: () => void all.delete(held) };
    },
    regain: async () => {
      await Promise.all([...all].map(regainOne));
    },
  };
}

/**
 * Clears the marks of BullMQ's stalled check, which moves a job that was marked at the check before and has no lock.
 * Marks from before a refusal prove nothing, since no worker could renew its lock meanwhile.
 */
export async function clearStalledMarks(worker: Pick<Worker, 'toKey'>, redis: Redis): Promise<void> {
  await redis.del(worker.toKey('stalled'));
}
