/** Swagger UI for /openapi.json at /docs, served by this server alone. */
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { letAnyoneAsk } from './http/guard.ts';

export const docsRoutes: FastifyPluginAsync = async (app) => {
  letAnyoneAsk(app);
  fitPage(app);
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    // This copy of the document is one level deeper than /openapi.json.
    transformSpecification: (document) => ({ ...document, servers: [{ url: '../' }] }),
    theme: { title: 'Trainyard API' },
    uiConfig: {
      layout: 'BaseLayout', // without the bar to open other documents
      validatorUrl: null, // else the document is sent to an external service
      persistAuthorization: false, // closing the page forgets the key
      docExpansion: 'list',
      defaultModelsExpandDepth: 0,
      displayOperationId: true,
      tryItOutEnabled: true,
    },
  });
};

/**
 * Adds the viewport tag that Swagger UI's page lacks: without it phones show the desktop width. Makes the absolute paths of
 * its files at /docs relative: they are wrong behind a proxy that strips a path prefix.
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
