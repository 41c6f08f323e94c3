/** The application on its real parts: a Redis, a store with one untrained model, a predictor process. */
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { buildApp } from '../../src/app.ts';
import { openFeed } from '../../src/jobs/producer/event-feed.ts';
import { openImportQueue } from '../../src/jobs/producer/import-queue.ts';
import { type JobQueue, openQueue } from '../../src/jobs/producer/queue.ts';
import { type EmbeddedRedis, startRedis } from '../../src/launcher/embedded-redis.ts';
import { Corrections } from '../../src/model/corrections/corrections.ts';
import { KeptAnswers } from '../../src/model/corrections/kept-answers.ts';
import { openDatasetLibrary } from '../../src/model/data/load-dataset.ts';
import { buildNetwork, initialWeights } from '../../src/model/network/network.ts';
import { openRegistry } from '../../src/model/registry/registry.ts';
import type { PredictorNews } from '../../src/model/serving/messages.ts';
import { type Predictor, startPredictor } from '../../src/model/serving/predictor.ts';
import { type ModelStore, openStore } from '../../src/model/store/store.ts';
import type { Access } from '../../src/routes/http/guard.ts';
import { createMetrics, observeNews } from '../../src/routes/metrics.ts';
import { makeChampion } from '../model/registry/champion.ts';
import { correctness, evaluation, tested } from '../model/store/versions.ts';
import { temporaryDirectory } from '../temporary.ts';
import { noPredictor } from './no-predictor.ts';

export type Parts = {
  readonly app: FastifyInstance;
  readonly queue: JobQueue;
  readonly store: ModelStore;
  readonly predictor: Predictor;
  readonly redis: EmbeddedRedis;
  readonly dataDir: string;
  /** Publishes an untrained model and waits until it is served. */
  publishAndServe(): Promise<number>;
  close(): Promise<void>;
};

/** As without API_KEY: loopback only, any number of requests. */
export const openAccess: Access = {
  apiKeys: [],
  allowAnonymous: false,
  trustProxy: false,
  keepAliveSeconds: 10,
  corsOrigins: [],
  requestsPerMinute: null,
};

const usualLimits = { archiveBytes: 64e6, allBytes: 256e6 };

/** `predicts`: with a predictor process, by default. `keepInputs`: as KEEP_INPUTS says. `onKeepError`: told of an answer that can't be kept; by default that fails the test. */
export async function startParts({
  predicts = true,
  keepInputs = false,
  onKeepError = fail,
  datasetLimits = usualLimits,
} = {}): Promise<Parts> {
  const dataDir = await temporaryDirectory();
  const log = pino({ level: 'silent' });
  const redis = await startRedis(dataDir);
  const queue = openQueue({ redisUrl: redis.url, onError: () => {} });
  const imports = openImportQueue({ redisUrl: redis.url, outage: queue.outage });
  const feed = openFeed({ redisUrl: redis.url, outage: queue.outage });
  const store = openStore(dataDir);
  const served = createAnnouncements();
  const metrics = createMetrics();
  const onMessage = (news: PredictorNews) => {
    observeNews(news, metrics);
    served.onMessage(news);
  };
  const start = { dataDir, engine: 'wasm' } as const; // is there sooner than TensorFlow
  const predictor = predicts ? startPredictor(start, { onMessage }) : noPredictor;
  const registry = openRegistry(dataDir);
  const promote = 'unless-worse';
  const kept = keepInputs ? await KeptAnswers.open(dataDir, { onError: onKeepError }) : null;
  const app = await buildApp({
    queue,
    feed,
    store,
    registry,
    promote,
    predictor,
    datasets: openDatasetLibrary(dataDir),
    imports,
    datasetLimits,
    dataDir,
    corrections: new Corrections(dataDir),
    kept,
    access: openAccess,
    metrics,
    log,
  });
  await app.ready();
  return {
    app,
    queue,
    store,
    predictor,
    redis,
    dataDir,
    publishAndServe: async () => {
      const { version } = await store.publish(
        buildNetwork('article', 10),
        initialWeights(buildNetwork('article', 10), 1),
        tested,
        {
          evaluation,
          correctness,
        },
      );
      const isServed = served.version(version);
      await makeChampion(dataDir, version);
      await isServed;
      return version;
    },
    close: async () => {
      await app.close();
      kept?.close();
      feed.close();
      await Promise.all([predictor.close(), queue.close(), imports.close()]);
      await redis.close();
    },
  };
}

function fail(error: unknown): void {
  throw error;
}

/** Resolves when the predictor says that it serves a version. */
function createAnnouncements() {
  const waiting = new Map<number, () => void>();
  return {
    onMessage: (message: PredictorNews) => {
      if (message.type === 'model') waiting.get(message.model.version)?.();
    },
    version: (version: number) => new Promise<void>((resolve) => waiting.set(version, resolve)),
  };
}
