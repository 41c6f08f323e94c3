/** POST /jobs/train, which queues a job or only says what it would do. */
import type { TrainyardClient } from './client.ts';
import { answerOf, type Call } from './problem.ts';
import type { components } from './schema.ts';

type Schemas = components['schemas'];

/** Queues a training job. All tries with one `idempotencyKey` give one job. */
export function queueJob(
  client: TrainyardClient,
  body: Schemas['TrainRequest'],
  idempotencyKey?: string,
): Promise<Call<Schemas['Job']>> {
  const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
  return client.POST('/jobs/train', { body, params: { header: headers } }) as Promise<Call<Schemas['Job']>>;
}

/** Says what a job would do, how long it would take, and what speaks against it. @throws ProblemError */
export function tryJob(
  client: TrainyardClient,
  body: Schemas['TrainRequest'],
  signal?: AbortSignal,
): Promise<Schemas['DryRun']> {
  const query = { dryRun: 'true' } as const;
  return answerOf(
    client.POST('/jobs/train', { body, params: { query }, ...(signal && { signal }) }) as Promise<
      Call<Schemas['DryRun']>
    >,
  );
}
