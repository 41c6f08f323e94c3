/** Ids of requests, and the one line that the log has of each: what was asked and answered, never what was in it. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify';

const harmless = /^[\w.:=+/@-]{1,128}$/; // in a log line, a header and a shell

/** The id that a client or a proxy has given by `X-Request-Id`, where it can be shown as it is; else a new one. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && harmless.test(given) ? given : randomUUID();
}

/** To be called before the routes: hooks apply to what is registered after them. */
export function nameRequests(app: FastifyInstance): void {
  app.addHook('onRequest', ({ id }, reply, done) => {
    nameRequest(id, reply);
    done();
  });
}

/** On the raw response, so that streams have it as well. */
export function nameRequest(id: string, { raw }: FastifyReply): void {
  raw.setHeader('x-request-id', id);
}

/** The pattern of a route, of which there are so many; what is no route has no name of its own. */
export function routeOf({ routeOptions }: FastifyRequest): string {
  return routeOptions.url ?? 'unknown';
}

/** In place of Fastify's two lines a request, one of which shows the query. */
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

  /** A client that goes is no fault, least of all from an event stream. */
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

/** Of the paths of one job. */
function jobOf({ params, routeOptions }: FastifyRequest): { jobId?: string } {
  return routeOptions.url?.startsWith('/jobs/:id') ? { jobId: (params as { id: string }).id } : {};
}
