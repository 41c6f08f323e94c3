/** With an empty store, queues a first training, once, however many servers start. */
import type { ModelStore } from '../model/store.ts';
import { resolveRequest, trainRequestSchema } from './contract.ts';
import type { JobQueue } from './queue.ts';

/** The id of the job that will give the first model; null when there is a model already. */
export async function ensureFirstModel(queue: JobQueue, store: ModelStore): Promise<string | null> {
  if ((await store.versions()).length > 0) return null;
  for (const status of ['running', 'queued'] as const) {
    const { data } = await queue.list({ status, limit: 1 });
    if (data[0]) return data[0].id;
  }
  // Servers that start together see the same newest job, so they send the same key.
  const { data } = await queue.list({ limit: 1 });
  const key = `first-model after ${data[0]?.id ?? 'nothing'}`;
  const result = await queue.enqueue(resolveRequest(trainRequestSchema.parse({})), key);
  return result.outcome === 'conflict' ? result.jobId : result.job.id;
}
