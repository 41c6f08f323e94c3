/** Queues a first training job when the store is empty: one, however many servers start. */
import { describeBuiltIn } from '../../model/data/built-in.ts';
import type { ModelStore } from '../../model/store/store.ts';
import { type JobStatus, resolveRequest, trainRequestSchema } from '../contract.ts';
import type { JobQueue } from './queue.ts';

const firstRequest = resolveRequest(trainRequestSchema.parse({}), describeBuiltIn('mnist'));

/** Returns the id of the job that will publish the first model; null when there is a model or the queue is full. */
export async function ensureFirstModel(queue: JobQueue, store: ModelStore): Promise<string | null> {
  // In this order, so that no read misses a job that changes its state meanwhile.
  const newest = await newestJob(queue);
  const underWay = (await newestJob(queue, 'queued')) ?? (await newestJob(queue, 'running'));
  if ((await store.versions()).length > 0) return null;
  if (underWay) return underWay;
  // Servers that start together see the same newest job, so they send the same key.
  const key = `first-model after ${newest ?? 'nothing'}`;
  const result = await queue.enqueue(firstRequest, key);
  if (result.outcome === 'full') return null;
  return 'job' in result ? result.job.id : result.jobId;
}

async function newestJob(queue: JobQueue, status?: JobStatus): Promise<string | null> {
  const { data } = await queue.list({ limit: 1, ...(status && { status }) });
  return data[0]?.id ?? null;
}
