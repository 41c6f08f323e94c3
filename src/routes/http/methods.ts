/** A path that is known, asked by a method that it does not take: 405 and the methods that it takes (RFC 9110, 15.5.6). */
import type { FastifyInstance } from 'fastify';
import { HttpProblem } from './problem.ts';

/** To be called before the routes; the function that it returns, after them. */
export function watchPaths(app: FastifyInstance): { refuseOtherMethods(): void } {
  const paths = new Set<string>();
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
    // Here rather than in the handler: before a body is read and found to be of the wrong type.
    onRequest: (request, reply, done) => {
      reply.header('allow', allow);
      const detail = `expected ${allow} for this path, got ${request.method}`;
      done(new HttpProblem({ status: 405, code: 'METHOD_NOT_ALLOWED', detail }));
    },
    handler: () => {},
  });
}
