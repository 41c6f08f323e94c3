/** The bodies that every route takes: JSON or none. A route that takes others registers parsers of its own. */
import type { IncomingMessage } from 'node:http';
import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify';
import { createJsonParser } from './json.ts';
import { readWhole, receive } from './received-body.ts';

/** Replaces Fastify's parsers. Call it before the routes are registered. */
export function registerBodies(app: FastifyInstance): void {
  const parseJson = createJsonParser(app);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', async (request: FastifyRequest, payload: IncomingMessage) => {
    if (request.is404) return undefined; // whatever the body is
    return parseJson(request, await readWhole(request, payload, null, limitOf(request)));
  });
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    if (!request.is404) await receive(request, payload, null, limitOf(request), expectBlank);
  });
  dropMalformedTypes(app);
}

/**
 * A type that can't be parsed, such as the empty one of a `Blob`, says no more than none. Fastify would refuse it before
 * the body is looked at.
 */
function dropMalformedTypes(app: FastifyInstance): void {
  app.addHook('onRequest', ({ headers, mediaType }, _reply, done) => {
    if (mediaType === undefined) delete headers['content-type'];
    done();
  });
}

function limitOf({ routeOptions }: FastifyRequest): number {
  return routeOptions.bodyLimit;
}

/** Clients declare types of empty bodies, too: `curl -d ''` sends an empty form. */
function expectBlank(chunk: Buffer): void {
  if (/\S/.test(chunk.toString())) throw new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE();
}
