/** What the API process does once its configuration is known: connections → application → listen. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type AppDependencies, buildApp } from './app.ts';
import type { Config } from './config.ts';
import { removeDeadUploads } from './jobs/producer/dead-uploads.ts';
import { openFeed } from './jobs/producer/event-feed.ts';
import { ensureFirstModel } from './jobs/producer/first-model.ts';
import { type ImportQueue, openImportQueue } from './jobs/producer/import-queue.ts';
import { type JobQueue, openQueue } from './jobs/producer/queue.ts';
import { lookAtRedis } from './jobs/redis/check.ts';
import { describePartRefused, remedyOf } from './jobs/redis/errors.ts';
import { messageOf, TrainyardError } from './lib/errors.ts';
import { grpcPlace, listenFailed } from './lib/listen.ts';
import { closeOnExit } from './lifecycle.ts';
import { createLog } from './log.ts';
import { Corrections } from './model/corrections/corrections.ts';
import { KeptAnswers } from './model/corrections/kept-answers.ts';
import { openDatasetLibrary } from './model/data/load-dataset.ts';
import { openRegistry } from './model/registry/registry.ts';
import type { PredictorNews } from './model/serving/messages.ts';
import type { Predictor, PredictorEvents } from './model/serving/predictor.ts';
import { type ModelStore, openStore } from './model/store/store.ts';
import { warningsAbout } from './routes/http/guard.ts';
import { createMetrics, observeNews, observePredictor } from './routes/metrics.ts';
import type { GrpcServer } from './routes/protocols/grpc/grpc-server.ts';

/** A predictor that runs already, and how to hear of it. */
export type StartedPredictor = {
  readonly predictor: Predictor;
  readonly listen: (events: Required<PredictorEvents>) => void;
};

/** Resolves when the server listens; it closes on a signal, and the predictor with it. */
export async function serve(
  config: Config,
  redisUrl: string,
  { predictor, listen }: StartedPredictor,
): Promise<void> {
  const log = createLog('server', config);
  await lookAtRedis(redisUrl); // if Redis is away, the server starts and waits for it
  const deadlineMs = config.redisDeadlineMs;
  const queue = openLoggedQueue(redisUrl, deadlineMs, log);
  const imports = openImportQueue({ redisUrl, outage: queue.outage, deadlineMs });
  const feed = openFeed({ redisUrl, outage: queue.outage });
  const store = openStore(config.dataDir);
  const registry = openRegistry(config.dataDir);
  const { promote, dataDir } = config;
  const closing = new AbortController();
  const wantModel = () => {
    if (config.firstModel) void queueFirstModel(queue, store, config, log, closing.signal);
  };
  const metrics = createMetrics();
  const { onMessage, onExit } = logPredictor(log, wantModel);
  const onNews = (news: PredictorNews) => {
    observeNews(news, metrics);
    onMessage(news);
  };
  listen({ onMessage: onNews, onExit });
  const corrections = openCorrections(dataDir, log);
  const kept = config.keepInputs ? await keepAnswers(dataDir, log) : null;
  const app = await buildApp({
    queue,
    feed,
    store,
    registry,
    promote,
    predictor,
    datasets: openDatasetLibrary(dataDir),
    imports,
    datasetLimits: config.datasetLimits,
    dataDir,
    corrections,
    kept,
    access: config,
    metrics,
    log,
  });
  const grpc = await speakGrpc(config, { predictor, store, metrics, log });
  closeOnExit(log, async () => {
    closing.abort();
    await Promise.all([app.close(), grpc?.close()]); // answer the requests under way first
    kept?.close();
    feed.close();
    await Promise.all([predictor.close(), queue.close(), imports.close()]);
  });
  const address = await app.listen({ host: config.host, port: config.port }).catch((error) => {
    throw listenFailed(error as NodeJS.ErrnoException, config);
  });
  process.send?.({ type: 'ready', address, grpcAddress: grpc?.address }); // to the launcher
  for (const warning of warningsAbout(config)) log.warn(warning);
  wantModel();
  void sweepUploads(imports, dataDir, log, closing.signal);
}

/** Null where GRPC_PORT is not set: then nothing of it is loaded. */
async function speakGrpc(
  config: Config,
  parts: Pick<AppDependencies, 'predictor' | 'store' | 'metrics' | 'log'>,
): Promise<GrpcServer | null> {
  const place = grpcPlace(config);
  if (place === null) return null;
  const { openGrpc } = await import('./routes/protocols/grpc/grpc-server.ts');
  const { predictor, store, metrics, log } = parts;
  const reader = observePredictor(predictor, metrics);
  const grpc = await openGrpc(place, { predictor, reader, store, access: config, metrics, log });
  log.info(`gRPC is spoken on ${grpc.address}`);
  return grpc;
}

/** The queue, whose outages are logged. */
function openLoggedQueue(redisUrl: string, deadlineMs: number, log: Logger): JobQueue {
  return openQueue({
    redisUrl,
    deadlineMs,
    onError: ({ message: error }, refused) => {
      const what = refused ? 'refuses what it is asked' : 'is away';
      const remedy = remedyOf(error);
      log.warn({ error }, `Redis ${what}; what needs it answers 503${remedy ? `; ${remedy}` : ''}`);
    },
    onPartRefused: (part, error) => log.warn({ error }, describePartRefused(part, error)),
    onRecovery: (seconds) => log.warn(`Redis is back after ${seconds.toFixed(1)} s`),
  });
}

const sweepMs = 60_000;

/**
 * Removes archives whose upload was cut off with its server, and names of imports that are no longer kept: now, and now and
 * then, since another server may end.
 */
async function sweepUploads(
  imports: ImportQueue,
  dataDir: string,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await removeDeadUploads(imports, dataDir);
      await imports.prune();
    } catch (error) {
      log.debug({ error: messageOf(error) }, 'uploads that were cut off are not removed yet');
    }
    await delay(sweepMs, undefined, { signal, ref: false }).catch(() => {});
  }
}

function openCorrections(dataDir: string, log: Logger): Corrections {
  return new Corrections(dataDir, (id, reason) =>
    log.error({ id, reason }, `correction ${id} is damaged and left out; remove it and correct again`),
  );
}

function keepAnswers(dataDir: string, log: Logger): Promise<KeptAnswers> {
  return KeptAnswers.open(dataDir, {
    onError: (err) => log.warn({ err }, 'an answer can not be kept for review'),
    onDamaged: (id, reason) =>
      log.error({ id, reason }, `answer ${id}, kept for review, is damaged and left out; remove it`),
  });
}

/** Retries until Redis accepts the job or the server closes. */
async function queueFirstModel(
  queue: JobQueue,
  store: ModelStore,
  { dataDir }: Config,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const jobId = await ensureFirstModel(queue, store);
      if (jobId) log.info({ jobId, dataDir }, 'no model yet: a first training is queued');
      return;
    } catch (error) {
      log.debug({ error: messageOf(error) }, 'first training not queued yet');
      await delay(500, undefined, { signal }).catch(() => {});
    }
  }
}

/** `onDamage`: called for a damaged model, which may have been the only one. */
function logPredictor(log: Logger, onDamage: () => void): Required<PredictorEvents> {
  return {
    onMessage: (message) => {
      if (message.type === 'ready') log.info(`predicting on ${message.engine.device}`);
      if (message.type === 'ready' && message.engine.fallback) log.warn(message.engine.fallback);
      if (message.type === 'model') {
        const { model, tensors } = message;
        log.info({ ...model, tensors }, `model ${model.version} is served`);
      }
      if (message.type === 'damaged') {
        log.error(
          { ...message, err: new TrainyardError('MODEL_DAMAGED', message.reason) },
          `model ${message.version} is damaged and now in quarantine`,
        );
        onDamage();
      }
      if (message.type === 'notServed')
        log.error(
          { ...message, err: new TrainyardError('MODEL_NOT_SERVED', message.reason) },
          `model ${message.version} is not served; it is tried again`,
        );
      if (message.type === 'storeUnreadable')
        log.error(
          { err: new TrainyardError('STORE_UNREADABLE', message.reason) },
          'the store of models can not be read; no new version is served until it can',
        );
      if (message.type === 'decisionsUnreadable')
        log.error(
          { ...message, err: new TrainyardError('DECISIONS_UNREADABLE', message.reason) },
          `the decisions about model ${message.model} can not be read; it is served as before until they can`,
        );
      if (message.type === 'decisionDamaged')
        log.error(
          { ...message, err: new TrainyardError('DECISION_DAMAGED', message.reason) },
          `decision ${message.number} about model ${message.model} is damaged; the one before it counts`,
        );
      if (message.type === 'decisionsReadable')
        log.info(message, `the decisions about model ${message.model} can be read again`);
      if (message.type === 'storeReadable') log.info('the store of models can be read again');
      if (message.type === 'removed') log.info(message, 'old models were deleted');
      if (message.type === 'notRemoved') log.warn(message, 'old models could not be deleted');
    },
    onExit: (how) => {
      const err = new TrainyardError('PREDICTOR_ENDED', `expected the predictor to run, it ended by ${how}`);
      log.error({ err }, 'the predictor ended; it is being started again');
    },
  };
}
