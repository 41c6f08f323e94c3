/** Bodies that every route accepts: JSON or none. A route that accepts others registers its own parsers. */
import type { IncomingMessage } from 'node:http';
import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify';
import { HttpProblem } from './problem.ts';
import { readWhole, receive } from './received-body.ts';

/** Replaces Fastify's parsers. Call it before registering the routes. */
export function registerBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', async (request: FastifyRequest, payload: IncomingMessage) => {
    if (request.is404) return undefined; // whatever the body is
    return parseJson(await readWhole(request, payload, null, limitOf(request)));
  });
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    if (!request.is404) await receive(request, payload, null, limitOf(request), expectBlank);
  });
  dropMalformedTypes(app);
}

/** A Content-Type that can't be parsed, such as the empty one of a `Blob`, counts as none. Fastify would refuse it. */
function dropMalformedTypes(app: FastifyInstance): void {
  app.addHook('onRequest', ({ headers, mediaType }, _reply, done) => {
    if (mediaType === undefined) delete headers['content-type'];
    done();
  });
}

function limitOf({ routeOptions }: FastifyRequest): number {
  return routeOptions.bodyLimit;
}

/** Clients declare a type even for an empty body: `curl -d ''` sends an empty form. */
function expectBlank(chunk: Buffer): void {
  if (/\S/.test(chunk.toString())) throw new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE();
}

/**
 * Parses a body. One of whitespace counts as none: generated clients declare JSON even where they send nothing.
 *
 * @throws HttpProblem 400 for invalid JSON, and for keys that would change a prototype
 */
export function parseJson(body: Buffer): unknown {
  const text = new TextDecoder().decode(body); // drops a byte order mark, which JSON may have (RFC 8259, 8.1)
  if (!/\S/.test(text)) return undefined;
  const value = parsed(text);
  if (mayNamePrototype.test(text) && namesPrototype(value))
    throw refusal(
      'expected no key "__proto__", nor "prototype" in a "constructor", anywhere in the JSON, got one',
    );
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refusal(`expected a body of valid JSON, got: ${(error as SyntaxError).message}`);
  }
}

/** Keys may be written with escapes. */
const mayNamePrototype = /__proto__|constructor|\\u/;

/** Fastify's own parser does the same, but takes ten times as long as JSON.parse for a long array. */
function namesPrototype(json: unknown): boolean {
  const open = typeof json === 'object' && json !== null ? [json] : [];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const inner = Array.isArray(value) ? (value as unknown[]) : Object.values(value);
    for (const each of inner) if (typeof each === 'object' && each !== null) open.push(each);
    if (changesPrototype(value)) return true;
  }
  return false;
}

function changesPrototype(value: object): boolean {
  if (Object.hasOwn(value, '__proto__')) return true;
  const made = Object.hasOwn(value, 'constructor') ? (value.constructor as unknown) : null;
  return typeof made === 'object' && made !== null && Object.hasOwn(made, 'prototype');
}

/** Use it as `preValidation` of a route whose fields are all optional: its body is optional too. */
export async function bodyIsOptional(request: FastifyRequest): Promise<void> {
  if (request.body === undefined) request.body = {};
}

function refusal(detail: string): HttpProblem {
  return new HttpProblem({ status: 400, code: 'JSON_INVALID', detail });
}
