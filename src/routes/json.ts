/** Bodies of JSON, by Fastify's parser. */
import type { FastifyBodyParser, FastifyInstance } from 'fastify';
import { HttpProblem } from './problem.ts';

/** Its refusals say what is wrong with a body, be it JSON with a key that would change the prototype of an object. */
export function createJsonParser(app: FastifyInstance): FastifyBodyParser<string> {
  const parse = app.getDefaultJsonParser('error', 'error') as FastifyBodyParser<string>;
  return (request, body, done) =>
    void parse(request, body, (error, value) => done(error && refusal(body), value));
}

function refusal(body: string): HttpProblem {
  return new HttpProblem({ status: 400, code: 'JSON_INVALID', detail: explain(body) });
}

function explain(body: string): string {
  if (body.length === 0) return 'expected a body of valid JSON, got an empty one';
  try {
    JSON.parse(body);
    return 'expected no key "__proto__", nor "prototype" in a "constructor", anywhere in the JSON, got one';
  } catch (error) {
    return `expected a body of valid JSON, got: ${(error as SyntaxError).message}`;
  }
}
