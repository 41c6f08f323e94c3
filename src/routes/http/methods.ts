/** Answers 405 with `Allow` where a path exists but not with this method (RFC 9110, 15.5.6). */
import { METHODS } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { HttpProblem } from './problem.ts';

/** The methods of a path, and the scope of its routes, in whose words others are refused. */
type Taken = { readonly methods: Set<string>; readonly scope: FastifyInstance };

/** Call it before registering the routes, and `refuseOtherMethods` after that. */
export function watchPaths(app: FastifyInstance): { refuseOtherMethods(): void } {
  const taken = new Map<string, Taken>(); // by path. To ask the router for each takes longer than the start
  // Fastify answers 404 to a method that it does not know, such as PROPFIND. CONNECT never gets here.
  const unknown = METHODS.filter((method) => method !== 'CONNECT' && !app.supportedMethods.includes(method));
  for (const method of unknown) app.addHttpMethod(method);
  app.addHook('onRoute', function learn(this: FastifyInstance, { url, method }) {
    const { methods, scope } = taken.get(url) ?? { methods: new Set(), scope: this };
    for (const one of [method].flat()) methods.add(one);
    taken.set(url, { methods, scope });
  });
  return {
    refuseOtherMethods: () => {
      for (const [url, { methods, scope }] of taken)
        refuse(scope, url.slice(scope.prefix.length), new Set(methods));
    },
  };
}

function refuse(scope: FastifyInstance, url: string, taken: ReadonlySet<string>): void {
  const allow = [...taken].toSorted().join(', ');
  scope.route({
    url,
    method: scope.supportedMethods.filter((method) => !taken.has(method)),
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
