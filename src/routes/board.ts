/**
 * Bull Board at /admin/queues: a read-only view of the queues. It is a second Fastify application, created on the first
 * request and called without a socket, so that keys, limits, headers and closing work as on every other route.
 */
import type { BaseAdapter } from '@bull-board/api/baseAdapter';
import type { AppControllerRoute } from '@bull-board/api/typings/app';
import type { FastifyAdapter } from '@bull-board/fastify';
import Fastify, {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { ImportQueue } from '../jobs/producer/import-queue.ts';
import type { Board, JobQueue } from '../jobs/producer/queue.ts';
import { letBrowsersSendKey } from './http/guard.ts';
import { letPagesLoad } from './http/headers.ts';
import { baseScript, withOwnBase } from './http/page-base.ts';
import { handleError, handleNotFound } from './http/problem.ts';

const prefix = '/admin/queues';
const passedOn = ['content-type', 'cache-control', 'etag', 'last-modified', 'retry-after'] as const;
const foreignFonts = /<link href="https:[^>]*>/g;

type Dependencies = {
  readonly queue: Pick<JobQueue, 'board'>;
  readonly imports: Pick<ImportQueue, 'board'>;
};

export const boardRoutes: FastifyPluginAsync<Dependencies> = async (app, { queue, imports }) => {
  letBrowsersSendKey(app);
  letPagesLoad(app, { styleSrc: ["'self'", "'unsafe-inline'"], baseUri: ["'self'"] });
  let opening: Promise<FastifyInstance> | null = null;
  const open = () => {
    opening ??= Promise.all([queue.board(), imports.board()]).then((boards) => openBoard(...boards, app));
    opening.catch(() => {
      opening = null;
    });
    return opening;
  };
  app.addHook('onClose', async () => {
    await (await opening?.catch(() => null))?.close();
  });
  app.get(`${prefix}/base.js`, { schema: { hide: true } }, (_request, reply) =>
    reply.type('text/javascript').send(baseScript),
  );
  for (const url of [prefix, `${prefix}/*`]) {
    app.get(url, { schema: { hide: true } }, async (request, reply) => {
      const board = await open();
      const ifNoneMatch = request.headers['if-none-match'];
      const headers = ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch };
      return passOn(await board.inject({ method: 'GET', url: request.url, headers }), request, reply);
    });
  }
};

async function openBoard(
  { adapter, withDeadline }: Board,
  importAdapter: BaseAdapter,
  { log }: FastifyInstance,
): Promise<FastifyInstance> {
  const [{ createBullBoard }, { FastifyAdapter }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/fastify'),
  ]);
  const serverAdapter = createReader(FastifyAdapter, withDeadline).setBasePath(prefix);
  const uiConfig = { boardTitle: 'Trainyard', hideDocsLink: true };
  createBullBoard({ queues: [adapter, importAdapter], serverAdapter, options: { uiConfig } });
  const board = Fastify({ loggerInstance: log.child({}, { level: 'warn' }) }); // this application logs the requests
  board.setErrorHandler(handleError);
  board.setNotFoundHandler(handleNotFound);
  await board.register(serverAdapter.registerPlugin(), { prefix });
  return board;
}

/** Registers only the routes that read, each with the queue's deadline and errors. */
function createReader(Adapter: typeof FastifyAdapter, withDeadline: Board['withDeadline']): FastifyAdapter {
  return new (class extends Adapter {
    override setApiRoutes(routes: AppControllerRoute[]) {
      const reading = routes.filter(({ method }) => method === 'get');
      return super.setApiRoutes(
        reading.map((route) => ({
          ...route,
          handler: (request) => withDeadline(async () => route.handler(request)),
        })),
      );
    }

    override setErrorHandler() {
      return super.setErrorHandler((error) => {
        throw error; // to handleError
      });
    }
  })();
}

type Answer = Awaited<ReturnType<FastifyInstance['inject']>>;

function passOn(
  { statusCode, headers, rawPayload }: Answer,
  { url }: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  for (const name of passedOn) if (headers[name] !== undefined) reply.header(name, headers[name]);
  const isPage = String(headers['content-type']).startsWith('text/html');
  if (!isPage) return reply.code(statusCode).send(rawPayload);
  const page = rawPayload.toString().replaceAll(foreignFonts, '');
  return reply.code(statusCode).send(withOwnBase(page, url.split('?')[0]!, prefix));
}
