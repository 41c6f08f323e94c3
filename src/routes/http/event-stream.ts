/** Server-sent events (WHATWG HTML, 9.2) of whatever has a log: resumable, and no more streams at once than a bound. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { EventBatch, EventFeed, FollowedQueue } from '../../jobs/producer/event-feed.ts';
import type { Metrics } from '../metrics.ts';
import { HttpProblem } from './problem.ts';

const reconnectMs = 1000; // how long clients are asked to wait before they reconnect
const eventNumber = z.coerce.number().int().min(0);

/** What a request may say of the events that it has received. */
export const resumption = {
  headers: z.looseObject({
    'last-event-id': eventNumber.exactOptional().describe('Go on after this event'),
  }),
  querystring: z.strictObject({
    after: eventNumber.exactOptional().describe('The same, for clients that can send no header'),
  }),
};

export function lastReceived(request: {
  readonly headers: z.output<typeof resumption.headers>;
  readonly query: z.output<typeof resumption.querystring>;
}): number {
  return request.headers['last-event-id'] ?? request.query.after ?? 0;
}

/** A job whose events a client asks for. */
export type FollowedJob = {
  readonly queue: FollowedQueue;
  readonly id: string;
  readonly title: string; // for people: `job ID`
  readonly unknown: () => HttpProblem; // where the queue does not keep it
};

/** The reply of a route of any type. */
type AnyReply = Pick<FastifyReply, 'code' | 'headers' | 'type' | 'raw'>;

export type EventStreams = {
  /**
   * Answers with the events after number `after`, until the job has ended. `find` may say null: there are no events and
   * there will be none. Returns the reply, whatever type the route says that it returns.
   */
  answer(reply: AnyReply, after: number, find: () => Promise<FollowedJob | null>): Promise<never>;
};

type Options = {
  readonly feed: EventFeed;
  readonly metrics: Pick<Metrics, 'streams'>;
  readonly maxStreams?: number;
};

/** Streams end when `app` closes, which waits for its open responses. */
export function createEventStreams(
  app: Pick<FastifyInstance, 'addHook'>,
  { feed, metrics, maxStreams = 1000 }: Options,
): EventStreams {
  const { open, end } = countStreams(metrics, maxStreams);
  app.addHook('preClose', async () => end());
  return {
    answer: async (reply, after, find) => {
      const signal = open(reply);
      const job = await find();
      // A browser's EventSource reconnects when a stream ends, unless the answer is 204.
      if (job === null || (await isOver(job, after))) return reply.code(204).send() as never;
      reply.headers({
        'cache-control': 'no-store',
        'x-accel-buffering': 'no', // proxies do not buffer
        connection: 'close', // so that a closing server need not wait for an idle connection
      });
      const batches = feed.follow(job.queue, job.id, after, signal);
      const stream = Readable.from(lines(batches), { objectMode: false });
      return reply.type('text/event-stream').send(stream) as never;
    },
  };
}

/** Whether nothing comes after event number `after`. @throws HttpProblem where there is no such job or event */
async function isOver({ queue, id, title, unknown }: FollowedJob, after: number): Promise<boolean> {
  const state = await queue.settle(id);
  if (state === 'unknown') throw unknown();
  if (after > 0 && (await queue.events(id, after, 1)).length === 0) throw unknownEvent(title, after);
  return state === 'ended' && (await queue.events(id, after + 1, 1)).length === 0;
}

/** Counts the open streams and can end them. */
function countStreams({ streams: gauge }: Pick<Metrics, 'streams'>, most: number) {
  const streams = new Set<AbortController>();
  return {
    /** The signal aborts when the client disconnects, which it may do before there is anything to send. */
    open: ({ raw }: AnyReply): AbortSignal => {
      if (streams.size >= most) throw tooManyStreams(most);
      const stream = new AbortController();
      if (raw.destroyed) stream.abort();
      else streams.add(stream);
      gauge.set(streams.size);
      raw.once('close', () => {
        stream.abort();
        streams.delete(stream);
        gauge.set(streams.size);
      });
      return stream.signal;
    },
    end: () => streams.forEach((stream) => stream.abort()),
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

function unknownEvent(title: string, after: number): HttpProblem {
  const detail = `expected the number of an event of ${title}, got ${after}; begin anew, without Last-Event-ID`;
  return new HttpProblem({ status: 400, code: 'EVENT_UNKNOWN', detail });
}

function tooManyStreams(most: number): HttpProblem {
  const detail = `expected fewer than ${most} open event streams, which is the most; try again when some have ended`;
  return new HttpProblem({ status: 503, code: 'TOO_MANY_STREAMS', detail, retryAfterSeconds: 5 });
}
