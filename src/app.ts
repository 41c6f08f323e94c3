/** Builds the HTTP application from its parts. It never listens, so tests can inject requests. */
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { EventFeed } from './jobs/producer/event-feed.ts';
import type { ImportQueue } from './jobs/producer/import-queue.ts';
import type { JobQueue } from './jobs/producer/queue.ts';
import type { Corrections } from './model/corrections/corrections.ts';
import type { KeptAnswers } from './model/corrections/kept-answers.ts';
import { type Datasets, openDatasets } from './model/data/imported/datasets.ts';
import type { DatasetLibrary } from './model/data/load-dataset.ts';
import type { PromotePolicy } from './model/registry/gate.ts';
import type { Registry } from './model/registry/registry.ts';
import type { Predictor } from './model/serving/predictor.ts';
import type { ModelStore } from './model/store/store.ts';
import { boardRoutes } from './routes/board.ts';
import { correctionRoutes } from './routes/corrections.ts';
import { datasetPictureRoutes } from './routes/dataset-pictures.ts';
import { type DatasetLimits, datasetUploadRoutes } from './routes/dataset-upload.ts';
import { datasetRoutes } from './routes/datasets.ts';
import { docsRoutes } from './routes/docs.ts';
import { eventRoutes } from './routes/events.ts';
import { exportRoutes } from './routes/export.ts';
import { healthRoutes } from './routes/health.ts';
import { registerBodies } from './routes/http/bodies.ts';
import { answerClientError } from './routes/http/client-error.ts';
import {
  afterUnwantedBody,
  closeConnectionsOnShutdown,
  connectionOptions,
  readUnwantedBodies,
} from './routes/http/connections.ts';
import { allowOrigins } from './routes/http/cors.ts';
import { createEventStreams, type EventStreams } from './routes/http/event-stream.ts';
import { type Access, registerGuard } from './routes/http/guard.ts';
import { addSecurityHeaders, securityHeaders, setHeaders } from './routes/http/headers.ts';
import { refuseOtherMethods, watchPaths } from './routes/http/methods.ts';
import { HttpProblem, handleError, handleNotFound } from './routes/http/problem.ts';
import { nameRequest, nameRequests, RequestLog, requestIdOf } from './routes/http/request-log.ts';
import { importEventRoutes } from './routes/import-events.ts';
import { jobRoutes } from './routes/jobs.ts';
import { type Metrics, metricsRoutes, observePredictor, observeRequests } from './routes/metrics.ts';
import { modelRoutes } from './routes/models.ts';
import { registerOpenApi } from './routes/openapi/openapi.ts';
import { pageRoutes } from './routes/page.ts';
import { predictRoutes } from './routes/predict.ts';
import { v1Routes } from './routes/protocols/v1.ts';
import { v2Routes } from './routes/protocols/v2.ts';
import { recipeRoutes } from './routes/recipes.ts';
import { registryRoutes } from './routes/registry.ts';
import { registryCallRoutes } from './routes/registry-calls.ts';
import { reviewRoutes } from './routes/review.ts';
import { createChampionLabels, createVersionLabels } from './routes/version-labels.ts';

export type AppDependencies = {
  readonly queue: JobQueue;
  readonly feed: EventFeed;
  readonly store: ModelStore;
  readonly registry: Registry;
  readonly promote: PromotePolicy; // of jobs that don't say
  readonly predictor: Predictor;
  readonly datasets: DatasetLibrary;
  readonly imports: ImportQueue;
  readonly datasetLimits: DatasetLimits;
  readonly dataDir: string;
  readonly corrections: Corrections;
  readonly kept: KeptAnswers | null; // null: answers are not kept for review
  readonly access: Access;
  readonly metrics: Metrics;
  readonly log: FastifyBaseLogger;
};

export async function buildApp(parts: AppDependencies): Promise<FastifyInstance> {
  const { access, metrics, log } = parts;
  const app = Fastify({
    loggerInstance: log,
    logController: new RequestLog(),
    genReqId: requestIdOf,
    bodyLimit: 64 * 1024, // bytes; routes that accept images set more
    routerOptions: { ignoreTrailingSlash: true },
    trustProxy: access.trustProxy,
    ...connectionOptions(access.keepAliveSeconds),
    clientErrorHandler: answerClientError,
    // For paths that can't be decoded or have a part that is too long; no route or hook has run then.
    frameworkErrors: (error, request, reply) => {
      setHeaders(reply.raw, securityHeaders);
      nameRequest(request.id, reply);
      afterUnwantedBody(request, reply, () => void handleError(error, request, reply));
    },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(handleError);
  app.setNotFoundHandler(handleNotFound);
  registerBodies(app);
  closeConnectionsOnShutdown(app);
  readUnwantedBodies(app);
  addSecurityHeaders(app);
  nameRequests(app);
  answerWhatNodeWould(app);
  observeRequests(app, metrics);
  await allowOrigins(app, access.corsOrigins);
  watchPaths(app);
  await registerGuard(app, access);
  refuseOtherMethods(app);
  await registerOpenApi(app, access);
  await registerRoutes(app, parts);
  return app;
}

async function registerRoutes(app: FastifyInstance, parts: AppDependencies): Promise<void> {
  const {
    imports,
    queue,
    feed,
    store,
    registry,
    promote,
    predictor,
    datasets,
    corrections,
    kept,
    access,
    metrics,
  } = parts;
  const streams = createEventStreams(app, { feed, metrics });
  const championLabels = createChampionLabels(store, registry);
  await app.register(jobRoutes, { queue, promote, corrections, datasets, imports, championLabels });
  await app.register(eventRoutes, { queue, streams });
  await app.register(recipeRoutes, { datasets, imports });
  const labelsOf = createVersionLabels(store);
  const reader = observePredictor(predictor, metrics);
  await app.register(predictRoutes, { predictor: reader, kept });
  await app.register(v1Routes, { predictor, reader, store });
  await app.register(v2Routes, { predictor, reader, store });
  await app.register(correctionRoutes, { corrections, kept, predictor, labelsOf });
  await app.register(reviewRoutes, { kept });
  await app.register(modelRoutes, { store, registry, predictor });
  await app.register(exportRoutes, { store });
  await app.register(registryRoutes, { store, registry });
  await app.register(registryCallRoutes, { store, registry, predictor });
  const importedSets = await registerDatasets(app, parts, streams);
  await app.register(healthRoutes, { queue, store, predictor, corrections });
  await app.register(metricsRoutes, { metrics, queue, store, predictor, access, imports, importedSets });
  await app.register(pageRoutes);
  await app.register(docsRoutes);
  await app.register(boardRoutes, { queue, imports });
}

async function registerDatasets(
  app: FastifyInstance,
  parts: AppDependencies,
  streams: EventStreams,
): Promise<Datasets> {
  const { imports, queue, dataDir, datasetLimits: limits, log } = parts;
  const datasets = openDatasets(dataDir, (err) => log.error({ err }, 'a data set is damaged and left out'));
  await app.register(datasetRoutes, { datasets, imports, queue, dataDir });
  await app.register(importEventRoutes, { datasets, imports, streams });
  await app.register(datasetUploadRoutes, { datasets, imports, dataDir, limits });
  await app.register(datasetPictureRoutes, { datasets, imports });
  return datasets;
}

/** Node itself would refuse two kinds of request, with an empty answer. */
function answerWhatNodeWould(app: FastifyInstance): void {
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    if (raw.httpVersion === '1.0' || raw.headers.host !== undefined) return done();
    const detail = 'expected a Host header, as HTTP/1.1 wants (RFC 9112, 3.2), got none; send one';
    done(new HttpProblem({ status: 400, code: 'HOST_MISSING', detail }));
  });
  app.server.on('checkExpectation', (request, response) => {
    app.server.emit('request', request, response); // RFC 9110, 10.1.1: an unknown expectation may be ignored
  });
}
