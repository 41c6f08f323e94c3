/** The API's description to read and to try, at /docs: Swagger UI over /openapi.json, all of it from this server. */
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyPluginAsync } from 'fastify';
import { letAnyoneAsk } from './guard.ts';

export const docsRoutes: FastifyPluginAsync = async (app) => {
  letAnyoneAsk(app);
  await app.register(swaggerUi, {
    routePrefix: '/docs',
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
