/**
 * Answers 405 with `Allow` where a path exists but not with this method (RFC 9110, 15.5.6). A route per path and method
 * would take half of the start: there are some 35 methods.
 */
import type { FastifyContextConfig, FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import findMyWay from 'find-my-way';
import { HttpProblem } from './problem.ts';

/** A path that has routes. */
type Path = {
  readonly url: string; // its pattern
  readonly methods: Set<string>;
  readonly route: RouteOptions; // the first one, in whose way others are refused
};

declare module 'fastify' {
  interface FastifyRequest {
    /** The path, if it does not take the request's method. Another route may match: to it, `train` is the id of a job. */
    refusedBy: Path | null;
  }
}

/** Call it before registering the guard and the routes. */
export function watchPaths(app: FastifyInstance): void {
  const router = findMyWay({ ignoreTrailingSlash: true, maxParamLength: Infinity });
  const paths = new Map<string, Path>();
  app.decorateRequest('refusedBy', null);
  app.addHook('onRoute', (route) => {
    let path = paths.get(route.url);
    if (!path) {
      path = { url: route.url, methods: new Set(), route };
      paths.set(route.url, path);
      router.on('GET', route.url, () => {}, path);
    }
    for (const method of [route.method].flat()) path.methods.add(method);
  });
  app.addHook('onRequest', (request, _reply, done) => {
    const path = (router.find('GET', request.url)?.store ?? null) as Path | null;
    if (path && !path.methods.has(request.method)) request.refusedBy = path;
    done();
  });
}

/** Call it after registering the guard: who may not ask is told nothing else. */
export function refuseOtherMethods(app: FastifyInstance): void {
  // In no handler: a body would be read first and might be refused for its type.
  app.addHook('onRequest', ({ refusedBy, method }, reply, done) => {
    if (!refusedBy) return done();
    const allow = [...refusedBy.methods].toSorted().join(', ');
    reply.header('allow', allow);
    const detail = `expected ${allow} for this path, got ${method}`;
    done(new HttpProblem({ status: 405, code: 'METHOD_NOT_ALLOWED', detail }));
  });
}

/** The configuration of the request's route, or of a route of its path where the method is refused. */
export function configOf({ refusedBy, routeOptions }: FastifyRequest): FastifyContextConfig {
  return (refusedBy ? refusedBy.route.config : routeOptions.config) ?? {};
}
