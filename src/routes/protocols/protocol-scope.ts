/** What the standard protocols have in common: bodies of whatever type, bounded memory, and errors as `{"error": "..."}`. */
import type { IncomingMessage } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { parseJson } from '../http/bodies.ts';
import { HttpProblem, notFound, problemOf, problemSchema, sendProblem } from '../http/problem.ts';
import { createReceived, readWhole } from '../http/received-body.ts';

export const maxBodyBytes = 16 * 1024 * 1024;
const maxJsonBytes = 8 * 1024 * 1024; // it takes up to 0.1 s to parse; 256 images as numbers take half of it
const maxReceivedBytes = 64 * 1024 * 1024; // bodies of all requests under way
export const received = createReceived(maxReceivedBytes);

const protocolProblemSchema = problemSchema
  .extend({ error: z.string().describe('The same as `detail`, where the protocol wants it') })
  .meta({ id: 'ProtocolProblem' });

/** Like `problems`, for routes of a protocol. */
export function protocolProblems<Status extends number>(
  ...statuses: Status[]
): Record<Status, typeof protocolProblemSchema> {
  return Object.fromEntries(statuses.map((status) => [status, protocolProblemSchema])) as Record<
    Status,
    typeof protocolProblemSchema
  >;
}

const guardStatuses = [401, 403, 429];

/** The guard's refusals have `error` too in a scope of a protocol, so its routes say so. */
function documentGuard(scope: FastifyInstance): void {
  scope.addHook('onRoute', ({ schema }) => {
    const response = schema?.response as Record<number, unknown> | undefined;
    for (const status of guardStatuses) if (response?.[status]) response[status] = protocolProblemSchema;
  });
}

/** Sets up a scope whose routes get their body as a Buffer; `null` where there is none. Call it before its routes are added. */
export function speakProtocol(scope: FastifyInstance): void {
  scope.decorateRequest('received', null);
  documentGuard(scope);
  scope.removeAllContentTypeParsers();
  // Clients name no type, or application/octet-stream for JSON that binary tensors follow.
  scope.addContentTypeParser('*', (request: FastifyRequest, payload: IncomingMessage) =>
    readWhole(request, payload, request.received, request.routeOptions.bodyLimit),
  );
  scope.addHook('onRequest', (request, reply, done) => {
    request.received = received.open(reply.raw);
    done();
  });
  scope.setErrorHandler((error: FastifyError, request, reply) => {
    const options = problemOf(error, request);
    return sendProblem(request, reply, { ...options, extension: { error: options.detail } });
  });
  scope.setNotFoundHandler((request, reply) => {
    const options = notFound(request);
    return sendProblem(request, reply, { ...options, extension: { error: options.detail } });
  });
}

/** @throws HttpProblem 400, or 413 */
export function parseProtocolJson(body: Buffer): unknown {
  if (body.byteLength <= maxJsonBytes) return parseJson(body);
  const detail = `expected at most ${maxJsonBytes} bytes of JSON, got ${body.byteLength}; send fewer images, or send them as binary tensors`;
  throw new HttpProblem({ status: 413, code: 'BODY_TOO_LARGE', detail });
}

/** A request that is not as the protocol says. */
export function invalid(detail: string): HttpProblem {
  return new HttpProblem({ status: 400, code: 'VALIDATION_FAILED', detail });
}
