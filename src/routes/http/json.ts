/** Bodies of JSON, parsed by Fastify's parser. */
import type { FastifyBodyParser, FastifyInstance, FastifyRequest } from 'fastify';
import { HttpProblem } from './problem.ts';

export type JsonParser = (request: FastifyRequest, body: Buffer) => unknown;

/**
 * A body of nothing but whitespace is no body: generated clients declare JSON also where they send none.
 *
 * @returns a parser, which throws HttpProblem 400 for what is no JSON, and for a key that would change a prototype
 */
export function createJsonParser(app: FastifyInstance): JsonParser {
  const parse = app.getDefaultJsonParser('error', 'error') as FastifyBodyParser<string>;
  return (request, body) => {
    const text = new TextDecoder().decode(body); // without the byte order mark, which JSON may have (RFC 8259, 8.1)
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
