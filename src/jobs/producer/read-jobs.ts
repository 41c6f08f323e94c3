/** Jobs as they are in Redis now, one and many. */
import type { Redis } from 'ioredis';
import { validate as isUuid } from 'uuid';
import type { JobStatus, TrainJob } from '../contract.ts';
import { type BullJob, type BullState, viewJob } from '../job-view.ts';
import { type TrainQueue, waitingOrder } from '../waiting-order.ts';

export type ListOptions = { readonly status?: JobStatus; readonly limit: number; readonly after?: string };

export type Context = { readonly queue: TrainQueue; readonly redis: Redis; readonly prefix: string };

export const waitingStates = ['waiting', 'prioritized', 'delayed'] as const;

export async function find(context: Context, id: string): Promise<TrainJob | null> {
  const found = await readJob(context, id);
  if (!found) return null;
  const inLine = waitingStates.some((state) => state === found.state);
  return viewJob(found.job, found.state, inLine ? await waitingOrder(context.queue) : []);
}

/** A job and its state as they were at one moment; null for an id that no job has. */
export async function readJob(
  context: Context,
  id: string,
): Promise<{ job: BullJob; state: BullState } | null> {
  const { queue } = context;
  if (!isUuid(id)) return null; // BullMQ keeps other things beside the jobs, `meta` for one
  for (;;) {
    const state = await queue.getJobState(id);
    const job = await queue.getJob(id);
    if (!job) return null;
    const isHeld = state !== 'active' || (await isLocked(context, id));
    if ((await queue.getJobState(id)) === state) return { job, state: isHeld ? state : 'waiting' };
  }
}

/** An active job whose lock has run out has lost its worker: it waits for one, whatever its set is called. */
async function isLocked({ queue, redis }: Context, id: string): Promise<boolean> {
  return (await redis.exists(`${queue.toKey(id)}:lock`)) === 1;
}

/** The BullMQ sets in which jobs of a status can lie. */
const statesOf = {
  queued: ['active', ...waitingStates],
  running: ['active'],
  succeeded: ['completed'],
  failed: ['failed'],
  cancelled: ['failed', 'active', ...waitingStates],
} as const satisfies Record<JobStatus, readonly string[]>;

const allStates = ['active', 'completed', 'failed', ...waitingStates] as const;

export async function list(
  context: Context,
  { status, limit, after }: ListOptions,
): Promise<{ data: TrainJob[]; hasMore: boolean }> {
  const states = status === undefined ? allStates : statesOf[status];
  const ids = await context.queue.getRanges([...states], 0, -1);
  // Ids are UUIDs of version 7: their order is the order of creation.
  const candidates = [...new Set(ids)]
    .toSorted()
    .toReversed()
    .filter((id) => after === undefined || id < after);
  const order = await waitingOrder(context.queue);
  const view = async (id: string) => {
    const found = await readJob(context, id);
    return found && viewJob(found.job, found.state, order);
  };
  const data: TrainJob[] = [];
  const pageSize = Math.max(limit + 1, 100); // of a rare status there may be few among many
  for (let start = 0; start < candidates.length && data.length <= limit; start += pageSize) {
    const page = await Promise.all(candidates.slice(start, start + pageSize).map(view));
    data.push(
      ...page.filter((job) => job !== null).filter((job) => status === undefined || job.status === status),
    );
  }
  return { data: data.slice(0, limit), hasMore: data.length > limit };
}
