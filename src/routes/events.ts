/** GET /jobs/:id/events: a job's events as they happen (server-sent events, WHATWG HTML 9.2), resumable. GET /jobs/:id/metrics: its loss curve. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { jobEventSchema, jobMetricsSchema } from '../jobs/events.ts';
import type { JobQueue } from '../jobs/producer/queue.ts';
import { type EventStreams, lastReceived, resumption } from './http/event-stream.ts';
import { problems } from './http/problem.ts';
import { jobIdSchema, raise, unknownJob } from './jobs.ts';

const tags = ['jobs'];

type Dependencies = { readonly queue: JobQueue; readonly streams: EventStreams };

export const eventRoutes: FastifyPluginAsyncZod<Dependencies> = async (app, { queue, streams }) => {
  app.get('/jobs/:id/events', {
    exposeHeadRoute: false, // its response would not end
    schema: {
      operationId: 'followJob',
      tags,
      summary: 'Follow a job: server-sent events until it has ended',
      params: jobIdSchema,
      ...resumption,
      produces: ['text/event-stream'],
      response: { 200: jobEventSchema, 204: z.null(), ...problems(400, 404, 503) },
    },
    handler: (request, reply) => {
      const { id } = request.params;
      const job = { queue, id, title: `job ${id}`, unknown: () => unknownJob(id) };
      return streams.answer(reply, lastReceived(request), async () => job);
    },
  });

  app.get('/jobs/:id/metrics', {
    schema: {
      tags,
      operationId: 'getJobMetrics',
      summary: 'Read the course of a job: loss by step, and what each epoch came to',
      params: jobIdSchema,
      response: { 200: jobMetricsSchema, ...problems(404, 503) },
    },
    handler: async (request) => {
      const { id } = request.params;
      return (await queue.metrics(id)) ?? raise(unknownJob(id));
    },
  });
};
