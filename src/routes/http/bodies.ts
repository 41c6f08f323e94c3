/** Bodies that every route accepts: JSON or none. A route that accepts others registers its own parsers. */
import type { IncomingMessage } from 'node:http';
import { errorCodes, type FastifyBodyParser, type FastifyInstance, type FastifyRequest } from 'fastify';
import { HttpProblem } from './problem.ts';
import { readWhole, receive } from './received-body.ts';

/** Replaces Fastify's parsers. Call it before registering the routes. */
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

export type JsonParser = (request: FastifyRequest, body: Buffer) => unknown;

/**
 * Returns a parser around Fastify's own. A body of whitespace counts as none: generated clients declare JSON even where
 * they send nothing. The parser throws HttpProblem 400 for invalid JSON and for keys that would change a prototype.
 */
export function createJsonParser(app: FastifyInstance): JsonParser {
  const parse = app.getDefaultJsonParser('error', 'error') as FastifyBodyParser<string>;
  return (request, body) => {
    const text = new TextDecoder().decode(body); // drops a byte order mark, which JSON may have (RFC 8259, 8.1)
    if (!/\S/.test(text)) return undefined;
    let problem: HttpProblem | null = null;
    let value: unknown;
    void parse(request, text, (error, parsed) => {
      if (error) problem = refusal(text);
      value = parsed;
    });
    if (problem) throw problem;
    return value;
  };
}

/** Use it as `preValidation` of a route whose fields are all optional: its body is optional too. */
export async function bodyIsOptional(request: FastifyRequest): Promise<void> {
  if (request.body === undefined) request.body = {};
}

function refusal(text: string): HttpProblem {
  return new HttpProblem({ status: 400, code: 'JSON_INVALID', detail: explain(text) });
}

function explain(text: string): string {
  try {
    JSON.parse(text);
    return 'expected no key "__proto__", nor "prototype" in a "constructor", anywhere in the JSON, got one';
  } catch (error) {
    return `expected a body of valid JSON, got: ${(error as SyntaxError).message}`;
  }
}
