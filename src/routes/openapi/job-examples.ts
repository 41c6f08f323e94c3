import { resolveRequest, type TrainJob, trainRequestSchema } from '../../jobs/contract.ts';
import type { JobEvent, JobMetrics } from '../../jobs/events.ts';
import { describeBuiltIn } from '../../model/data/built-in.ts';
import { recipeSummaries, recipes } from '../../model/training/recipe.ts';
import { type Exchange, eventStream, invalid, json, problem } from './exchange.ts';

export const exampleJobId = '01a212e1-4136-71c6-b490-cb5100ed1b61';

const queued: TrainJob = {
  id: exampleJobId,
  status: 'queued',
  request: resolveRequest(
    trainRequestSchema.parse({ recipe: 'fast', seed: 7, metadata: { note: 'first try' } }),
    describeBuiltIn('mnist'),
  ),
  progress: null,
  epochs: [],
  engine: null,
  queuePosition: 1,
  attempt: 0,
  resumedFromStep: null,
  modelVersion: null,
  promotion: null,
  error: null,
  createdAt: '2026-11-25T13:24:41.920Z',
  startedAt: null,
  finishedAt: null,
};

const engine = {
  name: 'tensorflow',
  device: 'TensorFlow 2.21.0, CPU, 2 threads',
  gpu: false,
  fallback: null,
};
const progress = {
  epoch: 1,
  epochs: 1,
  step: 225,
  steps: 625,
  fraction: 0.36,
  loss: 0.6415,
  imagesPerSecond: 4005,
  etaSeconds: 7.2,
};
const promotion = {
  decision: 'kept',
  version: 2,
  champion: 1,
  against: 1,
  onlyCandidate: 12,
  onlyChampion: 31,
  p: 0.00534,
  accuracy: 0.9919,
  accuracyAgainst: 0.9938,
  reason:
    'significantly worse than model 1: 99.19 % against 99.38 %; only this one reads 12 of the test images right, only that one 31, p = 0.0053',
} as const;
const trained = {
  epoch: 1,
  trainLoss: 0.7211,
  testLoss: 0.1364,
  testAccuracy: 0.9919,
  seconds: 10.6,
  modelVersion: 2,
};
const epoch = { ...trained, promotion };
const startedAt = '2026-11-25T13:24:42.320Z';

const running: TrainJob = {
  ...queued,
  status: 'running',
  progress,
  engine,
  queuePosition: null,
  attempt: 1,
  startedAt,
};
const succeeded: TrainJob = {
  ...running,
  status: 'succeeded',
  progress: { ...progress, step: 625, fraction: 1, loss: 0.5533, etaSeconds: 0 },
  epochs: [epoch],
  modelVersion: 2,
  promotion,
  finishedAt: '2026-11-25T13:24:53.392Z',
};
const cancelled: TrainJob = {
  ...queued,
  status: 'cancelled',
  queuePosition: null,
  finishedAt: '2026-11-25T13:24:43.120Z',
};

const events: JobEvent[] = [
  { type: 'queued', at: queued.createdAt, position: 1 },
  { type: 'started', at: startedAt, engine, attempt: 1, resumedFromStep: null },
  { type: 'progress', at: '2026-11-25T13:24:46.104Z', ...progress },
  { type: 'epoch', at: '2026-11-25T13:24:53.349Z', ...trained },
  { type: 'checkpoint', at: '2026-11-25T13:24:53.349Z', modelVersion: 2, epoch: 1, testAccuracy: 0.9919 },
  { type: 'kept', at: '2026-11-25T13:24:53.349Z', ...promotion },
  { type: 'done', at: '2026-11-25T13:24:53.392Z', status: 'succeeded', modelVersion: 2, error: null },
];

const metrics: JobMetrics = {
  id: exampleJobId,
  status: 'succeeded',
  steps: 625,
  curve: [
    { step: 13, epoch: 1, loss: 2.3031, imagesPerSecond: 3095 },
    { step: 225, epoch: 1, loss: 0.6415, imagesPerSecond: 4005 },
    { step: 625, epoch: 1, loss: 0.5533, imagesPerSecond: 4164 },
  ],
  epochs: [epoch],
};

const ownLayers = {
  trainImages: 10_000,
  network: {
    layers: [
      { kind: 'convolution', filters: 32, kernelSize: 3, pool: 2, batchNorm: true },
      { kind: 'dense', units: 64 },
    ],
  },
};

const ofExample = { id: exampleJobId };

/** There is none of this id. */
function unknown(path: (id: string) => string): Exchange {
  const detail =
    'expected the id of a job in GET /jobs, got "nope"; finished jobs are kept until 1000 newer ones have finished';
  const [status, code, title] = [404, 'JOB_NOT_FOUND', 'Not Found'];
  const answer = problem({ title, status, code, detail, instance: path('nope') });
  return { summary: 'An unknown job', parameters: { id: 'nope' }, status, answer };
}

export const jobExamples: Record<string, readonly Exchange[]> = {
  queueJob: [
    {
      summary: 'Train fast, with a seed and a note',
      parameters: { 'idempotency-key': 'monday-1' },
      body: json({ recipe: 'fast', seed: 7, metadata: { note: 'first try' } }),
      status: 202,
      answer: queued,
    },
    {
      summary: 'Only what it would do',
      parameters: { dryRun: 'true' },
      body: json({ recipe: 'fast', seed: 7, metadata: { note: 'first try' } }),
      status: 200,
      answer: {
        request: queued.request,
        forecast: { seconds: 16.1, measuredOn: exampleJobId },
        warnings: [],
      },
    },
    {
      summary: 'What layers of its own would do, with batch normalisation',
      parameters: { dryRun: 'true' },
      body: json(ownLayers),
      status: 200,
      answer: {
        request: resolveRequest(trainRequestSchema.parse(ownLayers), describeBuiltIn('mnist')),
        forecast: { seconds: 9.3, measuredOn: exampleJobId },
        warnings: [],
      },
    },
    {
      summary: 'A value out of its range',
      body: json({ epochs: 0 }),
      status: 400,
      answer: invalid('/jobs/train', 'body', 'epochs', 'expected at least 1, got 0'),
    },
    {
      summary: 'The key of another request',
      parameters: { 'idempotency-key': 'monday-1' },
      body: json({ recipe: 'accurate' }),
      status: 409,
      answer: problem({
        title: 'Conflict',
        status: 409,
        code: 'IDEMPOTENCY_KEY_REUSED',
        detail: `expected the body that this Idempotency-Key was first sent with (job ${exampleJobId}), got another; send a new key`,
        instance: '/jobs/train',
      }),
    },
  ],
  listRecipes: [
    {
      summary: 'Two of them',
      status: 200,
      answer: {
        data: (['default', 'fast'] as const).map((name) => {
          return { name, summary: recipeSummaries[name], ...recipes[name] };
        }),
      },
    },
    {
      summary: 'With their values for a data set',
      parameters: { dataset: 'mnist' },
      status: 200,
      answer: {
        data: [{ name: 'default', summary: recipeSummaries.default, ...recipes.default }],
        automatic: 'default',
      },
    },
    {
      summary: 'For a data set that is not there',
      parameters: { dataset: 'letters' },
      status: 404,
      answer: problem({
        title: 'Not Found',
        status: 404,
        code: 'DATASET_NOT_FOUND',
        detail:
          'expected the name of a data set in GET /datasets, got "letters"; import it with POST /datasets?name=letters',
        instance: '/recipes',
      }),
    },
  ],
  listJobs: [
    {
      summary: 'The newest one',
      parameters: { limit: '1' },
      status: 200,
      answer: { data: [queued], hasMore: false },
    },
    {
      summary: 'A page of more than 100',
      parameters: { limit: '500' },
      status: 400,
      answer: invalid('/jobs', 'querystring', 'limit', 'expected at most 100, got "500"'),
    },
  ],
  getJob: [
    { summary: 'A job that runs', parameters: ofExample, status: 200, answer: running },
    { summary: 'A job that has ended', parameters: ofExample, status: 200, answer: succeeded },
    unknown((id) => `/jobs/${id}`),
  ],
  cancelJob: [
    { summary: 'A job in line', parameters: ofExample, status: 202, answer: cancelled },
    unknown((id) => `/jobs/${id}/cancel`),
  ],
  getJobMetrics: [
    { summary: 'A job that has ended', parameters: ofExample, status: 200, answer: metrics },
    unknown((id) => `/jobs/${id}/metrics`),
  ],
  followJob: [
    {
      summary: 'A whole job',
      parameters: ofExample,
      status: 200,
      type: 'text/event-stream',
      answer: eventStream(events),
    },
    {
      summary: 'An event that never was',
      parameters: { ...ofExample, after: '1000000' },
      status: 400,
      answer: problem({
        title: 'Bad Request',
        status: 400,
        code: 'EVENT_UNKNOWN',
        detail: `expected the number of an event of job ${exampleJobId}, got 1000000; begin anew, without Last-Event-ID`,
        instance: `/jobs/${exampleJobId}/events`,
      }),
    },
    unknown((id) => `/jobs/${id}/events`),
  ],
};
