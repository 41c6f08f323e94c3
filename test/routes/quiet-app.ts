/** The application without Redis and without a predictor, for what happens before a request reaches either. */
import type { FastifyInstance } from 'fastify';
import { type Logger, pino } from 'pino';
import { buildApp } from '../../src/app.ts';
import type { EventFeed } from '../../src/jobs/producer/event-feed.ts';
import type { ImportQueue } from '../../src/jobs/producer/import-queue.ts';
import type { JobQueue } from '../../src/jobs/producer/queue.ts';
import { Corrections } from '../../src/model/corrections/corrections.ts';
import { openDatasetLibrary } from '../../src/model/data/load-dataset.ts';
import type { PromotePolicy } from '../../src/model/registry/gate.ts';
import { openRegistry, type Registry } from '../../src/model/registry/registry.ts';
import { type ModelStore, openStore } from '../../src/model/store/store.ts';
import type { Access } from '../../src/routes/http/guard.ts';
import { createMetrics } from '../../src/routes/metrics.ts';
import { temporaryDirectory } from '../temporary.ts';
import { noPredictor } from './no-predictor.ts';
import { openAccess } from './parts.ts';

type Options = {
  readonly access?: Partial<Access>;
  readonly queue?: JobQueue;
  readonly promote?: PromotePolicy;
  readonly store?: ModelStore;
  readonly registry?: Registry;
  readonly log?: Logger;
  readonly addRoutes?: (app: FastifyInstance) => void;
};

export async function buildQuietApp(options: Options = {}) {
  const {
    access,
    queue = emptyQueue as JobQueue,
    promote = 'unless-worse',
    store,
    registry,
    log,
    addRoutes,
  } = options;
  const dataDir = await temporaryDirectory();
  const app = await buildApp({
    queue,
    feed: noFeed as EventFeed,
    store: store ?? openStore(await temporaryDirectory()),
    registry: registry ?? openRegistry(await temporaryDirectory()),
    promote,
    predictor: noPredictor,
    datasets: openDatasetLibrary(dataDir),
    ...(await noDatasets(dataDir)),
    corrections: new Corrections(await temporaryDirectory()),
    kept: null,
    access: { ...openAccess, ...access },
    metrics: createMetrics(),
    log: log ?? pino({ level: 'silent' }),
  });
  addRoutes?.(app);
  await app.ready();
  return app;
}

const emptyQueue: Partial<JobQueue> = {
  enqueue: async () => ({ outcome: 'conflict', jobId: 'the only one' }),
  find: async () => null,
  list: async () => ({ data: [], hasMore: false }),
  outcomes: async () => ({
    counts: { waiting: 0, active: 0, completed: 0, failed: 0 },
    running: [],
    ended: [],
  }),
  cancel: async () => ({ outcome: 'unknown' }),
  settle: async () => 'unknown',
  metrics: async () => null,
  health: async () => ({ workers: [], evictionPolicy: 'noeviction', refusal: null }),
};

/** What an application needs for data sets, where nobody imports any. */
export async function noDatasets(dataDir?: string) {
  return {
    imports: noImports as ImportQueue,
    datasetLimits: { archiveBytes: 1e6, allBytes: 1e6 },
    dataDir: dataDir ?? (await temporaryDirectory()),
  };
}

const noImports: Partial<ImportQueue> = {
  find: async () => null,
  list: async () => [],
  drop: async () => null,
  claim: async () => null,
  metrics: async () => ({
    counts: { waiting: 0, active: 0, completed: 0, failed: 0 },
    ended: { succeeded: 0, failed: 0, cancelled: 0 },
    pictures: { read: 0, refused: 0 },
  }),
};

const noFeed: Partial<EventFeed> = {};

/** Builds one application for each access that is asked for: for requests that leave nothing behind in it. */
export function shareQuietApps() {
  const apps = new Map<string, ReturnType<typeof buildQuietApp>>();
  return (access: Partial<Access> = {}) => {
    const key = JSON.stringify(access);
    const app = apps.get(key) ?? buildQuietApp({ access });
    apps.set(key, app);
    return app;
  };
}
