/**
 * What metrics tell of jobs: how they stand, which run, and each one that has ended once, to one API process of all.
 * A job's end is marked in Redis with the job, so that neither a restart nor a second API counts it again.
 */
import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { TrainJob } from '../contract.ts';
import { type BullJob, type BullState, viewJob } from '../job-view.ts';
import { type QueueCounts, readCounts } from './health.ts';

export type Tally = {
  readonly counts: QueueCounts;
  readonly running: readonly TrainJob[];
  /** Not told before; what one call has no room for comes with the next. */
  readonly ended: readonly TrainJob[];
};

/** `endedAtMost`: how many jobs that have ended the caller takes. */
export type TakeTally = (endedAtMost: number) => Promise<Tally>;

type Entry = [id: string, state: BullState];

/**
 * Marks jobs that were received (ARGV[4] …) for good, and others that have ended as told to this process: those it is
 * told again until it has received them, should an answer be lost.
 */
const script = `
local jobs, me, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local running, ended = {}, {}
for i = 4, #ARGV do
  if redis.call('EXISTS', jobs .. ARGV[i]) == 1 then redis.call('HSET', jobs .. ARGV[i], 'toldTo', 'all') end
end
for _, id in ipairs(redis.call('LRANGE', jobs .. 'active', 0, -1)) do
  if redis.call('EXISTS', jobs .. id .. ':lock') == 1 then running[#running + 1] = { id, 'active' } end
end
for _, state in ipairs({ 'completed', 'failed' }) do
  for _, id in ipairs(redis.call('ZRANGE', jobs .. state, 0, -1)) do
    if #ended >= most then break end
    local by = redis.call('HGET', jobs .. id, 'toldTo')
    if not by or by == me then
      redis.call('HSET', jobs .. id, 'toldTo', me)
      ended[#ended + 1] = { id, state }
    end
  end
end
return { running, ended }
`;

/** One for a process. */
export function createTally(queue: Queue, redis: Redis): TakeTally {
  const me = randomUUID();
  const received = new Set<string>(); // and not yet marked so
  return async (endedAtMost) => {
    const marks = [...received];
    const [counts, found] = await Promise.all([
      readCounts(queue),
      redis.eval(script, 0, queue.toKey(''), me, endedAtMost, ...marks) as Promise<[Entry[], Entry[]]>,
    ]);
    const [running, ended] = await Promise.all(found.map((entries) => readJobs(queue, entries)));
    for (const id of marks) received.delete(id);
    const fresh = ended!.filter(({ id }) => !received.has(id)); // two calls at once are told the same
    for (const { id } of fresh) received.add(id);
    return { counts, running: running!, ended: fresh };
  };
}

async function readJobs(queue: Queue, entries: readonly Entry[]): Promise<TrainJob[]> {
  const view = async ([id, state]: Entry) => {
    const job: BullJob | undefined = await queue.getJob(id);
    return job ? viewJob(job, state, []) : null; // it may just have been deleted
  };
  return (await Promise.all(entries.map(view))).filter((job) => job !== null);
}
