/**
 * The page at `/`, built by Vite. Anyone may load it: it contains no data of this installation, and a browser has no key
 * before the page has asked for it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyPluginAsync } from 'fastify';
import { letAnyoneAsk } from './http/guard.ts';
import { HttpProblem } from './http/problem.ts';

const builtPage = join(import.meta.dirname, '../../dist/web'); // from src/routes and from dist/routes

/** Without a built page `/` answers 404, and the API works as usual. */
export const pageRoutes: FastifyPluginAsync<{ root?: string }> = async (app, { root = builtPage }) => {
  letAnyoneAsk(app);
  const schema = { hide: true };
  if (!existsSync(join(root, 'index.html'))) {
    app.log.warn('the page is not built, "/" answers 404; "npm run build" builds it');
    app.get('/', { schema }, () => {
      throw pageNotBuilt();
    });
    return;
  }
  await app.register(fastifyStatic, {
    root: join(root, 'assets'),
    prefix: '/assets/',
    preCompressed: true, // web/precompress.ts
    maxAge: '1y',
    immutable: true, // each name contains a hash of the contents
  });
  app.get('/', { schema }, (_request, reply) =>
    reply.header('cache-control', 'no-cache').sendFile('index.html', root, { cacheControl: false }),
  );
};

function pageNotBuilt(): HttpProblem {
  const detail =
    'expected a built page in dist/web, got none; run "npm run build" and start again. The API works without, /docs shows it';
  return new HttpProblem({ status: 404, code: 'PAGE_NOT_BUILT', detail });
}
