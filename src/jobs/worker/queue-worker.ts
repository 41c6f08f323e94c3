/** A BullMQ worker that outlasts outages of Redis: what the worker of trainings and that of imports have in common. */
import type { Job, Processor } from 'bullmq';
import type { Redis } from 'ioredis';
import { Worker } from '../bullmq.ts';
import type { Outage } from '../redis/outage.ts';
import { clearStalledMarks, createJobLocks, type JobLocks } from './job-locks.ts';
import type { WorkerTimings } from './options.ts';
import { backOffOnErrors } from './redis-outage.ts';

export type QueueWorker<Data, Result> = {
  readonly worker: Worker<Data, Result>;
  readonly locks: JobLocks;
  /** Takes the locks of its jobs again after an outage. If that fails, the next renewal tries again. */
  readonly regainLocks: () => void;
  readonly stopBackingOff: () => void;
};

type Options = {
  readonly redis: Redis;
  readonly prefix: string;
  readonly timings: WorkerTimings;
  readonly outage: Outage;
};

export function openQueueWorker<Data, Result>(
  queueName: string,
  process: Processor<Data, Result>,
  { redis, prefix, timings, outage }: Options,
): QueueWorker<Data, Result> {
  const worker: Worker<Data, Result> = new Worker<Data, Result>(queueName, process, {
    connection: redis,
    prefix,
    name: 'trainyard',
    lockDuration: timings.lock,
    stalledInterval: timings.stalledCheck,
    maxStalledCount: Number.MAX_SAFE_INTEGER, // the caller decides when a job has crashed too often
    skipVersionCheck: true, // the check needs INFO, which a Redis user may lack; jobs/redis/check.ts has checked
  });
  const locks = createJobLocks(worker, redis, outage, timings);
  const regainLocks = () => void locks.regain().catch(() => {}); // the outage has it
  worker.on('lockRenewalFailed', regainLocks);
  const stopBackingOff = backOffOnErrors(worker, redis, outage, timings, async () => {
    await locks.regain();
    await clearStalledMarks(worker, redis);
  });
  return { worker, locks, regainLocks, stopBackingOff };
}

/** How many attempts at a job ended in a crash, of its process alone or of the whole worker. */
export function crashesOf({
  attemptsMade,
  stalledCounter,
}: Pick<Job, 'attemptsMade' | 'stalledCounter'>): number {
  return attemptsMade + stalledCounter;
}
