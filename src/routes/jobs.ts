/** Training jobs: queue, read, list, cancel. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  jobStatuses,
  planOf,
  type ResolvedRequest,
  resolveRequest,
  type TrainRequest,
  trainJobSchema,
  trainRequestSchema,
} from '../jobs/contract.ts';
import type { EnqueueResult } from '../jobs/producer/enqueue.ts';
import type { JobQueue } from '../jobs/producer/queue.ts';
import type { Corrections } from '../model/corrections/corrections.ts';
import type { PromotePolicy } from '../model/registry/gate.ts';
import { dryRun, dryRunSchema } from './dry-run.ts';
import { frozenFor } from './frozen-corrections.ts';
import { bodyIsOptional } from './http/bodies.ts';
import { HttpProblem, problems } from './http/problem.ts';
import { pageQuery } from './page-of.ts';
import { type DatasetPorts, expectDataset, expectTrainable } from './trainable-dataset.ts';
import type { ChampionLabels } from './version-labels.ts';

export const jobIdSchema = z.object({ id: z.string() });
const pageSchema = pageQuery('The last id of the page before').extend({
  status: z.enum(jobStatuses).exactOptional(),
});
const tags = ['jobs'];

const queueSchema = {
  tags,
  operationId: 'queueJob',
  summary: 'Queue a training job',
  headers: z.looseObject({ 'idempotency-key': z.string().min(1).max(255).exactOptional() }),
  querystring: z.strictObject({
    dryRun: z
      .enum(['true', 'false'])
      .default('false')
      .describe(
        '`true`: only says what the job would do, how long that would take, and what speaks against it',
      ),
  }),
  body: trainRequestSchema,
  response: {
    200: dryRunSchema.describe('With `dryRun=true`: nothing is queued'),
    202: trainJobSchema,
    ...problems(400, 404, 409, 410, 415, 503),
  },
};

type Dependencies = DatasetPorts & {
  queue: JobQueue;
  promote: PromotePolicy;
  corrections: Corrections;
  championLabels: ChampionLabels;
};

/** What a repeated call has to ask for as well. PROMOTE, which fills in the order, may have changed between the two. */
function askedFor({ model, promote, corrections }: TrainRequest, order: ResolvedRequest) {
  const { corrections: _, ...plan } = planOf(order);
  return {
    ...plan,
    ...(model && { model }),
    ...(promote && { promote }),
    ...(corrections !== false && { corrections }), // as asked: the set that it stands for may be another by now
  };
}

/** A repeated call freezes nothing: its job has its set, whatever has become of the corrections since. */
async function enqueue(
  parts: Dependencies,
  body: TrainRequest,
  requestId: string,
  key?: string,
): Promise<EnqueueResult> {
  const { queue, promote, corrections } = parts;
  const dataset = await expectTrainable(body, parts);
  const asked = askedFor(body, resolveRequest(body, dataset, promote));
  const known = key !== undefined && body.corrections !== false ? await queue.findQueued(key, asked) : null;
  if (known) return known;
  const order = resolveRequest(body, dataset, promote, await frozenFor(body, corrections, queue));
  const result = await queue.enqueue(order, key, requestId, asked, dataset.checksums['pictures.bin']);
  if (result.outcome === 'queued') await expectStillThere(body, result.job.id, parts);
  return result;
}

/** Whoever deletes a data set looks for jobs once it can't be found any longer, so that one of the two notices the other. */
async function expectStillThere({ dataset }: TrainRequest, jobId: string, parts: Dependencies) {
  try {
    await expectDataset(dataset, parts);
  } catch (error) {
    await parts.queue.cancel(jobId);
    throw error;
  }
}

/** Resolves the request as a job's would be; a set of corrections that is frozen for it alone is soon one of the oldest. */
async function tryOut(parts: Dependencies, body: TrainRequest) {
  const { queue, promote, corrections } = parts;
  const dataset = await expectTrainable(body, parts);
  const frozen = await frozenFor(body, corrections, queue);
  return dryRun(resolveRequest(body, dataset, promote, frozen), dataset, parts);
}

export const jobRoutes: FastifyPluginAsyncZod<Dependencies> = async (app, parts) => {
  const { queue } = parts;
  app.post('/jobs/train', {
    schema: queueSchema,
    preValidation: bodyIsOptional,
    handler: async (request, reply) => {
      if (request.query.dryRun === 'true') return reply.send(await tryOut(parts, request.body));
      const key = request.headers['idempotency-key'];
      const { outcome, job } = expectJob(await enqueue(parts, request.body, request.id, key));
      request.log.info({ jobId: job.id }, `job ${outcome}`);
      return reply.code(202).header('location', `/jobs/${job.id}`).send(job);
    },
  });

  app.get('/jobs', {
    schema: {
      tags,
      operationId: 'listJobs',
      summary: 'List jobs, newest first',
      querystring: pageSchema,
      response: {
        200: z.object({ data: z.array(trainJobSchema), hasMore: z.boolean() }),
        ...problems(400, 503),
      },
    },
    handler: (request) => queue.list(request.query),
  });

  app.get('/jobs/:id', {
    schema: {
      tags,
      operationId: 'getJob',
      summary: 'Read a job and its progress',
      params: jobIdSchema,
      response: { 200: trainJobSchema, ...problems(404, 503) },
    },
    handler: async (request) => (await queue.find(request.params.id)) ?? raise(unknownJob(request.params.id)),
  });

  app.post('/jobs/:id/cancel', {
    schema: {
      tags,
      operationId: 'cancelJob',
      summary: 'Cancel a job: a queued one ends at once, a running one within 2 s',
      params: jobIdSchema,
      response: { 202: trainJobSchema, ...problems(400, 404, 415, 503) },
    },
    handler: async (request, reply) => {
      const result = await queue.cancel(request.params.id);
      if (result.outcome === 'unknown') throw unknownJob(request.params.id);
      request.log.info({ jobId: result.job.id }, `cancel ${result.outcome}`);
      return reply.code(202).send(result.job); // a finished job is unchanged
    },
  });
};

function expectJob(result: EnqueueResult) {
  if (result.outcome === 'conflict') throw keyConflict(result.jobId);
  if (result.outcome === 'forgotten') throw jobForgotten(result.jobId);
  if (result.outcome === 'full') throw queueFull(result.waiting);
  return result;
}

export function unknownJob(id: string): HttpProblem {
  const detail = `expected the id of a job in GET /jobs, got "${id}"; finished jobs are kept until 1000 newer ones have finished`;
  return new HttpProblem({ status: 404, code: 'JOB_NOT_FOUND', detail });
}

function keyConflict(jobId: string): HttpProblem {
  const detail = `expected the body that this Idempotency-Key was first sent with (job ${jobId}), got another; send a new key`;
  return new HttpProblem({ status: 409, code: 'IDEMPOTENCY_KEY_REUSED', detail });
}

function jobForgotten(jobId: string): HttpProblem {
  const detail = `expected a new Idempotency-Key, got that of job ${jobId}, which has ended and is no longer kept; send a new key to train again`;
  return new HttpProblem({ status: 410, code: 'JOB_FORGOTTEN', detail });
}

function queueFull(waiting: number): HttpProblem {
  const detail = `expected fewer than ${waiting} jobs in line, which is the most; cancel some, or try again when one has ended`;
  return new HttpProblem({ status: 503, code: 'QUEUE_FULL', detail, retryAfterSeconds: 60 });
}

export function raise(error: Error): never {
  throw error;
}
