/**
 * What Prometheus scrapes: counters and histograms that grow as things happen, and gauges that are read when asked.
 * Names end in their unit (https://prometheus.io/docs/practices/naming); no label takes a value from a request.
 */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { TrainJob } from '../jobs/contract.ts';
import type { JobQueue } from '../jobs/queue.ts';
import type { PredictOutcome, Predictor, PredictorNews } from '../model/predictor.ts';
import type { ModelStore } from '../model/store.ts';

export type Metrics = ReturnType<typeof createMetrics>;

type MetricsDependencies = {
  readonly metrics: Metrics;
  readonly queue: Pick<JobQueue, 'list' | 'counts'>;
  readonly store: Pick<ModelStore, 'manifest'>;
  readonly predictor: Pick<Predictor, 'model' | 'load'>;
};

const fast = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]; // s
const slow = [1, 5, 15, 30, 60, 300, 900, 3600, 14_400]; // s
const seenJobs = 100; // that may end between two scrapes and be counted

/** One for a process. What happens is told to it; `collect` reads the rest and gives the text. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: Label[] = [],
  ) => new Histogram({ name: `trainyard_${name}`, help, buckets, labelNames, registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge({ name: `trainyard_${name}`, help, labelNames, registers });
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: `trainyard_${name}`, help, labelNames, registers });
  return {
    registry,
    requests: histogram('http_request_duration_seconds', 'Time to answer a request', fast, [
      'method',
      'route',
      'status',
    ]),
    predictions: counter('predictions_total', 'Images that came to an end, by what came of them', [
      'outcome',
    ]),
    phases: histogram('prediction_phase_seconds', 'Time that an image spends in a phase', fast, ['phase']),
    batches: histogram('prediction_batch_images', 'Images that are inferred together', [1, 2, 4, 8]),
    waiting: gauge('predictions_waiting_images', 'Images that wait for a prediction now'),
    swaps: counter('model_swaps_total', 'Models that were put in place of another, or of none'),
    swapTime: histogram('model_swap_duration_seconds', 'Time to read, check and warm up a model', fast),
    version: gauge('model_version', 'Version of the model that answers; 0: none'),
    age: gauge('model_age_seconds', 'Time since the model that answers was published'),
    accuracy: gauge('model_test_accuracy_ratio', 'Test accuracy of the model that answers'),
    jobs: gauge('jobs', 'Training jobs that Redis keeps, by state', ['state']),
    jobTime: histogram('job_duration_seconds', 'Time from the start of a job to its end', slow, ['status']),
    rate: gauge('training_images_per_second', 'Images a second over all jobs that run'),
    loss: gauge('training_loss', 'Loss of the job that runs, the newest of several'),
    redis: gauge('redis_up', '1 where Redis answers, else 0'),
  };
}

/** To be called before the routes: hooks apply to what is registered after them. */
export function observeRequests(app: FastifyInstance, { requests }: Metrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown'; // the pattern: what is no route has no name of its own
    requests.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
    done();
  });
}

/** The same predictor, whose outcomes are counted. */
export function observePredictor(predictor: Predictor, { predictions, phases }: Metrics): Predictor {
  const observe = (outcome: PredictOutcome) => {
    predictions.inc({ outcome: outcome.ok ? 'ok' : outcome.code });
    if (!outcome.ok) return;
    const { decodeMs, queueMs, inferMs } = outcome.timings;
    for (const [phase, ms] of Object.entries({ decode: decodeMs, queue: queueMs, infer: inferMs }))
      phases.observe({ phase }, ms / 1000);
  };
  return {
    ...predictor,
    predict: async (image, signal, withPixels) => {
      const outcome = await predictor.predict(image, signal, withPixels);
      observe(outcome);
      return outcome;
    },
  };
}

/** What the predictor tells besides answers. */
export function observeNews(news: PredictorNews, { batches, swaps, swapTime }: Metrics): void {
  if (news.type === 'batch') batches.observe(news.images);
  if (news.type !== 'model') return;
  swaps.inc();
  swapTime.observe(news.seconds);
}

export const metricsRoutes: FastifyPluginAsync<MetricsDependencies> = async (app, parts) => {
  const { metrics } = parts;
  const readJobs = createJobReader(parts);
  app.get('/metrics', {
    schema: {
      tags: ['health'],
      operationId: 'getMetrics',
      summary: 'Counters, histograms and gauges in the text format of Prometheus',
      produces: ['text/plain'],
    },
    logLevel: 'warn', // asked every few seconds
    handler: async (_request, reply) => {
      const [answers] = await Promise.all([
        readJobs().then(
          () => 1,
          () => 0,
        ),
        readModel(parts),
      ]);
      metrics.redis.set(answers);
      metrics.waiting.set(parts.predictor.load().images);
      return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
    },
  });
};

async function readModel({ metrics, store, predictor }: MetricsDependencies): Promise<void> {
  const model = predictor.model();
  metrics.version.set(model?.version ?? 0);
  const manifest = model && (await store.manifest(model.version).catch(() => null));
  metrics.age.set(manifest ? (Date.now() - Date.parse(manifest.createdAt)) / 1000 : 0);
  metrics.accuracy.set(model?.testAccuracy ?? 0);
}

/** Each call reads how jobs stand now, and counts those that have ended since the one before. */
function createJobReader({ metrics, queue }: MetricsDependencies): () => Promise<void> {
  let seenUntil = new Date().toISOString();
  return async () => {
    const [counts, running, newest] = await Promise.all([
      queue.counts(),
      queue.list({ status: 'running', limit: 10 }),
      queue.list({ limit: seenJobs }),
    ]);
    for (const [state, count] of Object.entries(counts)) metrics.jobs.set({ state }, count);
    metrics.rate.set(sum(running.data.map(({ progress }) => progress?.imagesPerSecond ?? 0)));
    metrics.loss.set(running.data[0]?.progress?.loss ?? 0);
    const ended = newest.data.filter(({ finishedAt }) => finishedAt !== null && finishedAt > seenUntil);
    for (const job of ended) metrics.jobTime.observe({ status: job.status }, secondsOf(job));
    seenUntil = ended.map(({ finishedAt }) => finishedAt!).reduce((a, b) => (a > b ? a : b), seenUntil);
  };
}

function secondsOf({ startedAt, finishedAt }: TrainJob): number {
  return startedAt === null ? 0 : (Date.parse(finishedAt!) - Date.parse(startedAt)) / 1000;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
