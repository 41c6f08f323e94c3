/** The API's description to read and to try, at /docs: Swagger UI over /openapi.json, all of it from this server. */
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { letAnyoneAsk } from './http/guard.ts';

export const docsRoutes: FastifyPluginAsync = async (app) => {
  letAnyoneAsk(app);
  fitPage(app);
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    // This copy of the document lies a level deeper than /openapi.json.
    transformSpecification: (document) => ({ ...document, servers: [{ url: '../' }] }),
    theme: { title: 'Trainyard API' },
    uiConfig: {
      layout: 'BaseLayout', // no bar with a field for other documents
      validatorUrl: null, // else the document would be sent to a service elsewhere
      persistAuthorization: false, // a key is forgotten with the page
      docExpansion: 'list',
      defaultModelsExpandDepth: 0,
      displayOperationId: true,
      tryItOutEnabled: true,
    },
  });
};

/**
 * Swagger UI's page does not say that it is made for any width, so phones would show it as wide as a desk. And at /docs, without
 * a slash, it names its files by absolute paths, which are others behind a proxy that strips a prefix.
 */
function fitPage(app: FastifyInstance): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    const isPage =
      String(reply.getHeader('content-type')).startsWith('text/html') && typeof payload === 'string';
    done(null, isPage ? fit(payload) : payload);
  });
}

function fit(page: string): string {
  return page.replace('<head>', `<head>${viewport}`).replaceAll('"/docs/static/', '"./docs/static/');
}

const viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">';
