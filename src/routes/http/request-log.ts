/** Request ids, and one log line per request: method, route, status and time, never the contents. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify';

const harmless = /^[\w.:=+/@-]{1,128}$/; // in a log line, a header and a shell

/** The client's or proxy's `X-Request-Id` if it is harmless, else a new id. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && harmless.test(given) ? given : randomUUID();
}

/** Call it before registering the routes: hooks apply to routes that are registered later. */
export function nameRequests(app: FastifyInstance): void {
  app.addHook('onRequest', ({ id }, reply, done) => {
    nameRequest(id, reply);
    done();
  });
}

/** Sets the header on the raw response, so that streams have it as well. */
export function nameRequest(id: string, { raw }: FastifyReply): void {
  raw.setHeader('x-request-id', id);
}

/** The route's pattern, for logs and metrics; one name for all unknown paths, so that their number is bounded. */
export function routeOf({ refusedBy, routeOptions }: FastifyRequest): string {
  return refusedBy?.url ?? routeOptions.url ?? 'unknown';
}

/** Replaces Fastify's two lines per request, one of which shows the query. */
export class RequestLog extends LogController {
  constructor() {
    super({ requestIdLogLabel: 'requestId' });
  }

  override incomingRequest(): void {}

  override requestCompleted(
    err: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    if (err) reply.log.error({ ...lineOf(request, reply), err }, 'answer failed');
    else reply.log.info(lineOf(request, reply), 'answered');
  }

  /** A client that disconnects is not an error, least of all from an event stream. */
  override streamError(err: Error, request: FastifyRequest, reply: FastifyReply): void {
    const left = 'code' in err && err.code === 'ERR_STREAM_PREMATURE_CLOSE';
    if (left) reply.log.info(lineOf(request, reply), 'left by the client');
    else reply.log.error({ ...lineOf(request, reply), err }, 'answer broke off');
  }
}

function lineOf(request: FastifyRequest, { statusCode: status, elapsedTime }: FastifyReply) {
  const ms = Math.round(elapsedTime * 100) / 100;
  return { method: request.method, route: routeOf(request), status, ms, ...jobOf(request) };
}

/** The job id, on paths of one job. */
function jobOf({ params, routeOptions }: FastifyRequest): { jobId?: string } {
  return routeOptions.url?.startsWith('/jobs/:id') ? { jobId: (params as { id: string }).id } : {};
}
