/** GET /jobs/:id/events: a job's events as they happen (server-sent events, WHATWG HTML 9.2), resumable. GET /jobs/:id/metrics: its loss curve. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { jobEventSchema, jobMetricsSchema } from '../jobs/events.ts';
import type { EventBatch, EventFeed } from '../jobs/producer/event-feed.ts';
import type { JobQueue } from '../jobs/producer/queue.ts';
import { HttpProblem, problems } from './http/problem.ts';
import { jobIdSchema, raise, unknownJob } from './jobs.ts';
import type { Metrics } from './metrics.ts';

const reconnectMs = 1000; // how long clients are asked to wait before they reconnect
const tags = ['jobs'];
const eventNumber = z.coerce.number().int().min(0);

type Dependencies = {
  queue: JobQueue;
  feed: EventFeed;
  metrics: Pick<Metrics, 'streams'>;
  maxStreams?: number;
};

export const eventRoutes: FastifyPluginAsyncZod<Dependencies> = async (app, parts) => {
  const { queue, feed, metrics, maxStreams = 1000 } = parts;
  const streams = createStreams(metrics, maxStreams);
  app.addHook('preClose', async () => streams.end()); // the server waits for its open responses

  app.get('/jobs/:id/events', {
    exposeHeadRoute: false, // its response would not end
    schema: {
      operationId: 'followJob',
      tags,
      summary: 'Follow a job: server-sent events until it has ended',
      params: jobIdSchema,
      headers: z.looseObject({
        'last-event-id': eventNumber.exactOptional().describe('Go on after this event'),
      }),
      querystring: z.strictObject({
        after: eventNumber.exactOptional().describe('The same, for clients that can send no header'),
      }),
      produces: ['text/event-stream'],
      response: { 200: jobEventSchema, 204: z.null(), ...problems(400, 404, 503) },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      const after = request.headers['last-event-id'] ?? request.query.after ?? 0;
      const signal = streams.open(reply);
      const state = await queue.settle(id);
      if (state === 'unknown') throw unknownJob(id);
      if (after > 0 && (await queue.events(id, after, 1)).length === 0) throw unknownEvent(id, after);
      // A browser's EventSource reconnects when a stream ends, unless the answer is 204.
      const isOver = state === 'ended' && (await queue.events(id, after + 1, 1)).length === 0;
      if (isOver) return reply.code(204).send(null);
      reply.headers({
        'cache-control': 'no-store',
        'x-accel-buffering': 'no', // proxies do not buffer
        connection: 'close', // so that a closing server need not wait for an idle connection
      });
      const stream = Readable.from(lines(feed.follow(id, after, signal)), { objectMode: false });
      return reply.type('text/event-stream').send(stream as never);
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

/** Counts the open streams and can end them. */
function createStreams({ streams: gauge }: Pick<Metrics, 'streams'>, most: number) {
  const open = new Set<AbortController>();
  return {
    /** The signal aborts when the client disconnects, which it may do before there is anything to send. */
    open: ({ raw }: FastifyReply): AbortSignal => {
      if (open.size >= most) throw tooManyStreams(most);
      const stream = new AbortController();
      if (raw.destroyed) stream.abort();
      else open.add(stream);
      gauge.set(open.size);
      raw.once('close', () => {
        stream.abort();
        open.delete(stream);
        gauge.set(open.size);
      });
      return stream.signal;
    },
    end: () => open.forEach((stream) => stream.abort()),
  };
}

async function* lines(batches: AsyncIterable<EventBatch>): AsyncGenerator<Buffer> {
  yield Buffer.from(`retry: ${reconnectMs}\n\n`);
  for await (const batch of batches) yield format(batch);
}

/** The bytes of a batch, which several readers may be given. */
const formatted = new WeakMap<EventBatch, Buffer>();
const comment = Buffer.from(':\n\n'); // keeps proxies from closing an idle connection

function format(batch: EventBatch): Buffer {
  if (batch.events.length === 0) return comment;
  const known = formatted.get(batch);
  if (known) return known;
  const text = batch.events.map(
    ({ type, json }, index) => `id: ${batch.first + index}\nevent: ${type}\ndata: ${json}\n\n`,
  );
  const bytes = Buffer.from(text.join(''));
  formatted.set(batch, bytes);
  return bytes;
}

function unknownEvent(id: string, after: number): HttpProblem {
  const detail = `expected the number of an event of job ${id}, got ${after}; begin anew, without Last-Event-ID`;
  return new HttpProblem({ status: 400, code: 'EVENT_UNKNOWN', detail });
}

function tooManyStreams(most: number): HttpProblem {
  const detail = `expected fewer than ${most} open event streams, which is the most; try again when some have ended`;
  return new HttpProblem({ status: 503, code: 'TOO_MANY_STREAMS', detail, retryAfterSeconds: 5 });
}
