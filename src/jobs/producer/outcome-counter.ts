/**
 * Counts jobs for the metrics: how many there are by state, which of them run, and which have ended since the last call.
 * Each ended job is reported once, to one API process of all. The mark is kept with the job in Redis, so that neither a
 * restart nor a second API process counts it again.
 */
import { randomUUID } from 'node:crypto';
import type { TrainJob } from '../contract.ts';
import { viewJob } from '../job-view.ts';
import { defineScript } from '../redis/script.ts';
import { waitingStates } from '../waiting-order.ts';
import { type Context, readJob } from './read-jobs.ts';

/** Jobs by BullMQ's state; `waiting` includes jobs that were cancelled and that no worker has dropped yet. */
export type QueueCounts = Readonly<Record<'waiting' | 'active' | 'completed' | 'failed', number>>;

export type Outcomes = {
  readonly counts: QueueCounts;
  readonly running: readonly TrainJob[];
  /** Reported for the first time. Those beyond the limit come with the next call. */
  readonly ended: readonly TrainJob[];
};

/** `endedAtMost`: how many ended jobs the caller takes. */
export type CountOutcomes = (endedAtMost: number) => Promise<Outcomes>;

/**
 * Marks ended jobs as reported to this process (`ARGV[1]`), up to `ARGV[2]` of them. Returns for each job that it looked
 * at 1 when this process is to count it, else 0. A job that is marked for this process already is a 1 again, since the
 * answer to an earlier call may have been lost.
 */
const claimEnded = defineScript(`
local flags, left = {}, tonumber(ARGV[2])
for i, job in ipairs(KEYS) do
  if left == 0 then break end
  local by = redis.call('HGET', job, 'toldTo')
  local isMine = by == ARGV[1] or (not by and redis.call('EXISTS', job) == 1)
  if isMine then
    redis.call('HSET', job, 'toldTo', ARGV[1])
    left = left - 1
  end
  flags[i] = isMine and 1 or 0
end
return flags`);

/** Creates the counter of this process. */
export function createOutcomeCounter(context: Context): CountOutcomes {
  const { queue, redis } = context;
  const me = randomUUID();
  const settled = new Set<string>(); // ended jobs that are counted, by this process or another
  const claim = async (endedAtMost: number) => {
    if (endedAtMost === 0) return [];
    const ids = await queue.getRanges(['completed', 'failed'], 0, -1, true);
    const kept = new Set(ids);
    for (const id of settled) if (!kept.has(id)) settled.delete(id);
    const open = ids.filter((id) => !settled.has(id));
    if (open.length === 0) return [];
    const keys = open.map((id) => queue.toKey(id));
    const flags = (await claimEnded(redis, keys, [me, endedAtMost])) as (0 | 1)[];
    flags.forEach((flag, index) => flag === 0 && settled.add(open[index]!));
    return open.filter((_, index) => flags[index] === 1);
  };
  return async (endedAtMost) => {
    const [counts, active, claimed] = await Promise.all([
      readCounts(context),
      queue.getRanges(['active'], 0, -1),
      claim(endedAtMost),
    ]);
    const [running, ended] = await Promise.all([readJobs(context, active), readJobs(context, claimed)]);
    const fresh = ended.filter(({ id }) => !settled.has(id)); // two calls at once claim the same jobs
    for (const id of claimed) settled.add(id);
    return { counts, running: running.filter(({ status }) => status === 'running'), ended: fresh };
  };
}

async function readCounts({ queue }: Context): Promise<QueueCounts> {
  const counts = await queue.getJobCounts(...waitingStates, 'active', 'completed', 'failed');
  const { active = 0, completed = 0, failed = 0, ...others } = counts;
  const waiting = Object.values(others).reduce((sum, count) => sum + count, 0);
  return { waiting, active, completed, failed };
}

async function readJobs(context: Context, ids: readonly string[]): Promise<TrainJob[]> {
  const jobs = await Promise.all(
    ids.map(async (id) => {
      const found = await readJob(context, id);
      return found && viewJob(found.job, found.state, []); // null: it has just been deleted
    }),
  );
  return jobs.filter((job) => job !== null);
}
