/** Reads jobs from Redis: one by its id, or a page of them. */
import type { Redis } from 'ioredis';
import { validate as isUuid } from 'uuid';
import type { JobStatus, TrainJob } from '../contract.ts';
import { type BullJob, type BullState, viewJob } from '../job-view.ts';
import { type TrainQueue, waitingOrder, waitingStates } from '../waiting-order.ts';

export type ListOptions = { readonly status?: JobStatus; readonly limit: number; readonly after?: string };

export type Context = { readonly queue: TrainQueue; readonly redis: Redis; readonly prefix: string };

export async function find(context: Context, id: string): Promise<TrainJob | null> {
  const found = await readJob(context, id);
  if (!found) return null;
  const waits = waitingStates.some((state) => state === found.state);
  return viewJob(found.job, found.state, waits ? await waitingOrder(context.queue, context.redis) : []);
}

/** A job and its state at one moment; null when no job has the id. */
export async function readJob(
  context: Context,
  id: string,
): Promise<{ job: BullJob; state: BullState } | null> {
  const { queue } = context;
  if (!isUuid(id)) return null; // BullMQ keeps other keys beside the jobs, such as `meta`
  for (;;) {
    const state = await queue.getJobState(id);
    const job = await queue.getJob(id);
    if (!job) return null;
    const isHeld = state !== 'active' || (await isLocked(context, id));
    if ((await queue.getJobState(id)) === state) return { job, state: isHeld ? state : 'waiting' };
  }
}

/** An active job whose lock has expired has lost its worker and waits for another, though BullMQ still lists it as active. */
async function isLocked({ queue, redis }: Context, id: string): Promise<boolean> {
  return (await redis.exists(`${queue.toKey(id)}:lock`)) === 1;
}

/** The BullMQ states that a job of a status can be in. */
const statesOf = {
  queued: ['active', ...waitingStates],
  running: ['active'],
  succeeded: ['completed'],
  failed: ['failed'],
  cancelled: ['failed', 'active', ...waitingStates],
} as const satisfies Record<JobStatus, readonly string[]>;

const allStates = ['active', 'completed', 'failed', ...waitingStates] as const;

/** Newest first. Reads the ids of all candidates, but only as many whole jobs as it takes to fill the page. */
export async function list(
  context: Context,
  { status, limit, after }: ListOptions,
): Promise<{ data: TrainJob[]; hasMore: boolean }> {
  const { queue, redis } = context;
  const states = status === undefined ? allStates : statesOf[status];
  const ids = await queue.getRanges([...states], 0, -1);
  // Ids are UUIDs of version 7: their order is the order of creation.
  const candidates = ids
    .toSorted()
    .toReversed()
    .filter((id) => after === undefined || id < after);
  const order = await waitingOrder(queue, redis);
  const view = async (id: string) => {
    const found = await readJob(context, id);
    return found && viewJob(found.job, found.state, order);
  };
  const data: TrainJob[] = [];
  let count = limit + 1; // one more tells whether there is another page
  for (let start = 0; start < candidates.length && data.length <= limit; ) {
    const jobs = await Promise.all(candidates.slice(start, start + count).map(view));
    for (const job of jobs) if (job && (status === undefined || job.status === status)) data.push(job);
    start += count;
    count *= 2; // jobs of a rare status may be few among many
  }
  return { data: data.slice(0, limit), hasMore: data.length > limit };
}

/** The SHA-256 of the frozen corrections of each job that has not ended. */
export async function frozenSets({ queue }: Context): Promise<ReadonlySet<string>> {
  const jobs = await queue.getJobs(['active', ...waitingStates]);
  return new Set(jobs.flatMap(({ data }) => data.request.corrections || []));
}
