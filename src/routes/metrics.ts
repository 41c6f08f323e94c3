/**
 * GET /metrics for Prometheus: counters and histograms that are updated as things happen, and gauges that are read on
 * each scrape. Names end in their unit (https://prometheus.io/docs/practices/naming). Labels are bounded: the only ones
 * that people can add to are the names of models and aliases, and those beyond the first hundred pairs have no labels of
 * their own.
 */
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { TrainJob } from '../jobs/contract.ts';
import type { JobQueue } from '../jobs/producer/queue.ts';
import { imageSize } from '../model/data/dataset.ts';
import { verdicts } from '../model/serving/answer.ts';
import type { AnyOutcome, ImageTensor, PredictorNews } from '../model/serving/messages.ts';
import type { Predictor } from '../model/serving/predictor.ts';
import type { ModelStore } from '../model/store/store.ts';
import type { Access } from './http/guard.ts';
import { routeOf } from './http/request-log.ts';
import { createImportInstruments, type ImportMetricsDependencies, readImports } from './import-metrics.ts';

export type Metrics = ReturnType<typeof createMetrics>;

type MetricsDependencies = ImportMetricsDependencies & {
  readonly metrics: Metrics;
  readonly queue: Pick<JobQueue, 'outcomes'>;
  readonly store: Pick<ModelStore, 'manifest'>;
  readonly predictor: Pick<Predictor, 'model' | 'serving' | 'load'>;
  readonly access: Pick<Access, 'apiKeys'>;
};

const fast = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]; // s
const slow = [1, 5, 15, 30, 60, 300, 900, 3600, 14_400]; // s
const batchSizes = [1, 2, 4, 8, 16, 32, 64]; // images
const endedAtMost = 100; // jobs that one scrape counts; the others wait for the next
const endings = ['succeeded', 'failed', 'cancelled'];
const misnamed = ['handles', 'requests', 'resources'].map((of) => `nodejs_active_${of}_total`); // gauges
const phases = ['decode', 'queue', 'infer'];
const mostAliases = 100; // pairs of a model and an alias that have labels of their own
const usualMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']; // Node accepts thirty more

/** The metrics of this process. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
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
  const metrics = {
    registry,
    requests: histogram('http_request_duration_seconds', 'Time to answer a request', fast, [
      'method',
      'route',
      'status',
    ]),
    calls: histogram('grpc_call_duration_seconds', 'Time to answer a gRPC call', fast, ['method', 'status']),
    streams: gauge('event_streams', 'Event streams that are open now'),
    predictions: counter('predictions_total', 'Images that came to an end, by what came of them', [
      'outcome',
    ]),
    phases: histogram('prediction_phase_seconds', 'Time that an image spends in a phase', fast, ['phase']),
    batches: histogram('prediction_batch_images', 'Images that are inferred together', batchSizes),
    waiting: gauge('predictions_waiting_images', 'Images that wait for a prediction now'),
    swaps: counter('model_swaps_total', 'Models that were put in place of another, or of none'),
    swapTime: histogram('model_swap_duration_seconds', 'Time to read, check and warm up a model', fast),
    answers: counter(
      'model_answers_total',
      'Images that were read, by model and by the alias that chose the version',
      ['model', 'alias'],
    ),
    verdicts: counter('verdicts_total', 'Images and lines that were read, by the verdict on them', [
      'verdict',
    ]),
    aliases: gauge('alias_version', 'Version that an alias points to', ['model', 'alias']),
    version: gauge('model_version', 'Version of the model that answers; 0: none'),
    age: gauge('model_age_seconds', 'Time since the model that answers was published'),
    accuracy: gauge('model_test_accuracy_ratio', 'Test accuracy of the model that answers'),
    jobs: gauge('jobs', 'Training jobs that Redis keeps, by state', ['state']),
    jobsEnded: counter('jobs_ended_total', 'Training jobs that have ended, by how', ['status']),
    jobTime: histogram('job_duration_seconds', 'Time from the start of a job to its end', slow, ['status']),
    rate: gauge('training_images_per_second', 'Images a second over all jobs that run'),
    loss: gauge('training_loss', 'Loss of the job that runs, the newest of several'),
    trainingAccuracy: gauge(
      'training_test_accuracy_ratio',
      'Test accuracy of the job that runs after its newest epoch, the newest job of several',
    ),
    imports: createImportInstruments(registry),
    redis: gauge('redis_up', '1 where Redis answers, else 0'),
  };
  beginAtZero(metrics);
  return metrics;
}

/** Creates all known labels with 0, since Prometheus sees no growth in a counter that appears as 1. */
function beginAtZero(
  metrics: Pick<Metrics, 'predictions' | 'verdicts' | 'phases' | 'jobsEnded' | 'jobTime'>,
): void {
  metrics.predictions.inc({ outcome: 'ok' }, 0);
  for (const verdict of verdicts) metrics.verdicts.inc({ verdict }, 0);
  for (const phase of phases) metrics.phases.zero({ phase });
  for (const status of endings) {
    metrics.jobsEnded.inc({ status }, 0);
    metrics.jobTime.zero({ status });
  }
}

/** Call before the routes are registered: hooks apply only to later ones. */
export function observeRequests(app: FastifyInstance, { requests }: Metrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    if (reply.getHeader('content-type') === 'text/event-stream') return done(); // a stream lasts as long as its job
    const labels = { method: methodOf(request), route: routeOf(request), status: reply.statusCode };
    requests.observe(labels, reply.elapsedTime / 1000);
    done();
  });
}

function methodOf({ method }: FastifyRequest): string {
  return usualMethods.includes(method) ? method : 'other';
}

/** What reads pictures, of a predictor. */
export type PictureReader = Pick<Predictor, 'predict' | 'predictLine' | 'predictTensor'>;

/** Wraps a predictor so that its outcomes are counted. */
export function observePredictor(
  predictor: PictureReader,
  { predictions, answers, verdicts: verdictsTotal, phases: phaseTime }: Metrics,
): PictureReader {
  const labels = boundedLabels();
  const observe = (outcome: AnyOutcome, images: number) => {
    predictions.inc({ outcome: outcome.ok ? 'ok' : outcome.code }, images);
    if (!outcome.ok) return;
    answers.inc(labels(outcome.model.name, outcome.model.alias ?? ''), images); // '': a request named the version
    const isTensor = 'answers' in outcome;
    for (const { verdict } of isTensor ? outcome.answers : [outcome]) verdictsTotal.inc({ verdict });
    const { decodeMs, queueMs, inferMs } = outcome.timings;
    const times = { ...(isTensor ? {} : { decode: decodeMs }), queue: queueMs, infer: inferMs };
    for (const [phase, ms] of Object.entries(times))
      for (let i = 0; i < images; i++) phaseTime.observe({ phase }, ms / 1000);
  };
  const observed = async <Outcome extends AnyOutcome>(
    pending: Promise<Outcome>,
    images = 1,
  ): Promise<Outcome> => {
    const outcome = await pending;
    observe(outcome, images);
    return outcome;
  };
  return {
    predict: (image, options) => observed(predictor.predict(image, options)),
    predictLine: (image, options) => observed(predictor.predictLine(image, options)),
    predictTensor: (tensor: ImageTensor, options) =>
      observed(predictor.predictTensor(tensor, options), tensor.length / imageSize),
  };
}

/** People name models and aliases: those beyond the first so many share one pair of labels. */
function boundedLabels(): (model: string, alias: string) => { model: string; alias: string } {
  const known = new Set<string>();
  return (model, alias) => {
    const pair = `${model} ${alias}`;
    if (known.size < mostAliases) known.add(pair);
    return known.has(pair) ? { model, alias } : { model: 'others', alias: 'others' };
  };
}

/** Records batches and model swaps. */
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
    // Without keys a scraper may use any host name, such as a container's: it can only read numbers.
    config: { anonymous: parts.access.apiKeys.length === 0 },
    schema: {
      tags: ['health'],
      operationId: 'getMetrics',
      summary: 'Counters, histograms and gauges in the text format of Prometheus',
      produces: ['text/plain'],
    },
    logLevel: 'warn', // called every few seconds
    handler: async (_request, reply) => {
      await Promise.all([readJobs(), readModel(parts), readImports(metrics.imports, parts)]);
      metrics.waiting.set(parts.predictor.load().images);
      return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
    },
  });
};

async function readModel({ metrics, store, predictor }: MetricsDependencies): Promise<void> {
  metrics.aliases.reset();
  const pairs = Object.entries(predictor.serving()).flatMap(([model, { aliases }]) =>
    Object.entries(aliases).map(([alias, version]) => ({ labels: { model, alias }, version })),
  );
  for (const { labels, version } of pairs.slice(0, mostAliases)) metrics.aliases.set(labels, version);
  const model = predictor.model();
  const manifest = model && (await store.manifest(model.version).catch(() => null));
  metrics.version.set(model?.version ?? 0);
  setOrRemove(metrics.age, manifest && (Date.now() - Date.parse(manifest.createdAt)) / 1000);
  setOrRemove(metrics.accuracy, model?.testAccuracy);
}

/** Each call reads the jobs' gauges and counts jobs that have ended. Without Redis the gauges have no value. */
function createJobReader({ metrics, queue }: MetricsDependencies): () => Promise<void> {
  let take = 0; // the first scrape shows zeros, since Prometheus sees no growth in a counter's first value
  return async () => {
    const outcomes = await queue.outcomes(take).catch(() => null);
    metrics.redis.set(outcomes ? 1 : 0);
    if (outcomes) take = endedAtMost;
    for (const job of outcomes?.ended ?? []) countEnd(metrics, job);
    metrics.jobs.reset();
    for (const [state, count] of Object.entries(outcomes?.counts ?? {})) metrics.jobs.set({ state }, count);
    const newest = outcomes?.running.toSorted((a, b) => (a.id < b.id ? 1 : -1))[0];
    setOrRemove(
      metrics.rate,
      outcomes && sum(outcomes.running.map(({ progress }) => progress?.imagesPerSecond ?? 0)),
    );
    setOrRemove(metrics.loss, newest?.progress?.loss);
    setOrRemove(metrics.trainingAccuracy, newest?.epochs.at(-1)?.testAccuracy);
  };
}

function countEnd({ jobsEnded, jobTime }: Metrics, { status, startedAt, finishedAt }: TrainJob): void {
  jobsEnded.inc({ status });
  if (startedAt === null) return; // cancelled while it waited
  jobTime.observe({ status }, (Date.parse(finishedAt!) - Date.parse(startedAt)) / 1000);
}

/** An unknown value is removed, rather than shown as 0 or as it last was. */
function setOrRemove(metric: Gauge, value: number | null | undefined): void {
  if (value === null || value === undefined) metric.remove();
  else metric.set(value);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
