/** Answers 405 with `Allow` where a path exists but not with this method (RFC 9110, 15.5.6). */
import { METHODS } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { HttpProblem } from './problem.ts';

/** Call it before registering the routes, and `refuseOtherMethods` after that. */
export function watchPaths(app: FastifyInstance): { refuseOtherMethods(): void } {
  const paths = new Set<string>();
  // Fastify answers 404 to a method that it does not know, such as PROPFIND. CONNECT never gets here.
  const unknown = METHODS.filter((method) => method !== 'CONNECT' && !app.supportedMethods.includes(method));
  for (const method of unknown) app.addHttpMethod(method);
  app.addHook('onRoute', ({ url }) => void paths.add(url));
  return {
    refuseOtherMethods: () => {
      for (const path of new Set(paths)) refuse(app, path);
    },
  };
}

function refuse(app: FastifyInstance, url: string): void {
  const takes = (method: string) => app.hasRoute({ url, method });
  const allow = app.supportedMethods.filter(takes).toSorted().join(', ');
  app.route({
    url,
    method: app.supportedMethods.filter((method) => !takes(method)),
    schema: { hide: true },
    // Not in the handler: a body would be read first and might be refused for its type.
    onRequest: (request, reply, done) => {
      reply.header('allow', allow);
      const detail = `expected ${allow} for this path, got ${request.method}`;
      done(new HttpProblem({ status: 405, code: 'METHOD_NOT_ALLOWED', detail }));
    },
    handler: () => {},
  });
}
