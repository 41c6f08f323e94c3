/** Every example of /openapi.json is carried out against the real parts, and what comes is as it says. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { OpenAPIV3_1 as OpenApi } from 'openapi-types';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Prediction } from '../../../src/client/index.ts';
import { queueName, type TrainJob } from '../../../src/jobs/contract.ts';
import { connectConsumer } from '../../../src/jobs/redis/connect.ts';
import { startImportWorker } from '../../../src/jobs/worker/import-worker.ts';
import { defaultTimings } from '../../../src/jobs/worker/options.ts';
import { announceWorker } from '../../../src/jobs/worker-heartbeat.ts';
import { examplePredictionId } from '../../../src/routes/openapi/correction-examples.ts';
import { examples, type Operation } from '../../../src/routes/openapi/examples.ts';
import type { Exchange } from '../../../src/routes/openapi/exchange.ts';
import { exampleJobId } from '../../../src/routes/openapi/job-examples.ts';
import { until } from '../../jobs/until.ts';
import { type Parts, startParts } from '../parts.ts';
import { buildQuietApp } from '../quiet-app.ts';

type Call = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly operation: Operation;
};

const document = (await (await buildQuietApp()).inject('/openapi.json')).json<OpenApi.Document>();
const calls: Call[] = Object.entries(document.paths!).flatMap(([path, operations]) =>
  Object.entries(operations as Record<string, Operation>).map(([method, operation]) => {
    return { method: method.toUpperCase() as Call['method'], path, operation };
  }),
);
const callOf = (id: string) => calls.find(({ operation }) => operation.operationId === id)!;

let parts: Parts;
let jobId: string; // stands for `exampleJobId`
let predictionId: string; // for `examplePredictionId`
beforeAll(async () => {
  parts = await startParts({ keepInputs: true });
  await parts.publishAndServe();
  await parts.publishAndServe();
});
afterAll(() => parts.close());

describe('every operation', () => {
  it.each(calls.map((call) => [`${call.method} ${call.path}`, call]))(
    '%s is described',
    (_name, { operation }) => {
      const { operationId, summary, tags = [] } = operation;
      expect(operationId).toMatch(/^[a-z]\w+$/);
      expect(summary).toMatch(/^[A-Z].{8,}/);
      expect(document.tags!.map(({ name }) => name)).toContain(tags[0]);
    },
  );

  it.each(calls.map((call) => [`${call.method} ${call.path}`, call]))(
    '%s has an example of a success, of a refusal and of its body',
    (_name, { operation }) => {
      const exchanges = examples[operation.operationId!] ?? [];
      const { responses, requestBody } = operation;
      const refusals = Object.keys(responses).filter(
        (status) => Number(status) >= 400 && !guards.has(status),
      );
      expect(exchanges.some(({ status }) => status < 300)).toBe(true);
      expect(exchanges.some(({ status }) => status >= 400)).toBe(refusals.length > 0);
      expect(exchanges.some(({ body }) => body)).toBe(requestBody !== undefined);
      for (const { status } of exchanges) expect(Object.keys(responses)).toContain(String(status));
      const { status } = exchanges[0]!;
      const shown = status === 204 ? { none: 'to show' } : mediaOf(operation, status).examples;
      expect(Object.keys(shown ?? {}).length).toBeGreaterThan(0);
    },
  );

  it('is named once, and no example is left over', () => {
    const ids = calls.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(Object.keys(examples).filter((id) => !ids.includes(id))).toEqual([]);
  });

  /** Answers that the guard gives on any path. */
  const guards = new Set(['401', '403', '429']);
});

/** In this order: later ones need what earlier ones made. */
const order = [
  'queueJob',
  'listJobs',
  'getJob',
  'getReadiness',
  'cancelJob',
  'moveAlias',
  'predict',
  'removeFromReview',
  'importDataset',
  'followImport',
];
const last = ['shareTraffic', 'rollBack', 'removeAlias'];
const others = Object.keys(examples).filter((id) => ![...order, ...last].includes(id));
const ids = [...order, ...others, ...last];
const all = ids.flatMap((id) =>
  examples[id]!.map((exchange) => [`${id}: ${exchange.summary}`, id, exchange] as const),
);

/** What an example needs that runs beside it. */
const beside: Readonly<Record<string, () => Promise<() => Promise<void>>>> = {
  getReadiness: connectWorker,
  followImport: connectImporter,
};

describe('the example', () => {
  it.each(all)('%s', async (_name, id, exchange) => {
    const stop = exchange.status === 200 ? await beside[id]?.() : undefined;
    const response = await send(callOf(id), exchange);
    await stop?.();
    expect(response.statusCode, response.body.slice(0, 500)).toBe(exchange.status);
    if (id === 'queueJob' && exchange.status === 202) jobId = response.json<TrainJob>().id;
    if (id === 'predict' && exchange.status === 200)
      predictionId = response.json<Prediction>().predictionId ?? predictionId;
    if (exchange.status !== 204) expectAsDocumented(callOf(id).operation, exchange, response);
  });
});

/** Puts what is really there in place of the ids that examples have. */
function real(text: string): string {
  return text.replace(exampleJobId, jobId).replace(examplePredictionId, predictionId);
}

type Response = Awaited<ReturnType<typeof send>>;

async function send({ method, path }: Call, { parameters = {}, body }: Exchange) {
  const left = new Map(Object.entries(parameters));
  const take = (name: string) => {
    const value = left.get(name)!;
    left.delete(name);
    return real(value);
  };
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => take(name));
  const headers: Record<string, string> = body ? { 'content-type': body.type } : {};
  for (const name of [...left.keys()].filter((key) => key.includes('-'))) headers[name] = take(name);
  const payload = body && (await payloadOf(body));
  return parts.app.inject({
    method,
    url: filled,
    query: Object.fromEntries(left),
    headers,
    ...(payload && { payload }),
  });
}

async function payloadOf(body: NonNullable<Exchange['body']>): Promise<string | Buffer> {
  if ('at' in body) return (await parts.app.inject(body.at)).rawPayload;
  return 'base64' in body ? Buffer.from(body.base64, 'base64') : real(JSON.stringify(body.value));
}

/** The example and what came are both as the schema says; a problem is the same word for word. */
function expectAsDocumented(
  operation: Operation,
  { status, answer, type }: Exchange,
  response: Response,
): void {
  const [documented] = Object.keys(operation.responses[status]!.content!);
  expect(String(response.headers['content-type']).split(';')[0]).toBe(documented);
  expect(documented).toMatch(type ?? /^application\/(?:problem\+)?json$/);
  const example = typeof answer === 'string' ? answer : JSON.stringify(answer);
  const came = response.body.replaceAll(jobId, exampleJobId);
  const { schema } = mediaOf(operation, status);
  for (const value of [example, came].flatMap((text) => valuesOf(documented!, text)))
    expectValid(schema, value);
  expect(constantOf(documented!, came)).toEqual(constantOf(documented!, example));
}

/** What a schema is about. */
function valuesOf(type: string, text: string): unknown[] {
  if (type.endsWith('json')) return [JSON.parse(text)];
  if (type !== 'text/event-stream') return [text];
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as unknown);
}

/** What is the same each time. */
function constantOf(type: string, text: string): unknown {
  if (type === 'application/problem+json') return JSON.parse(text);
  return type === 'text/plain' ? text.match(/^# .* trainyard_(?:model_version|redis_up) .*$/gm) : null;
}

function mediaOf(operation: Operation, status: number): OpenApi.MediaTypeObject {
  return Object.values(operation.responses[status]!.content!)[0]!;
}

const ajv = new Ajv2020({ strict: false, validateFormats: false });

function expectValid(schema: unknown, value: unknown): void {
  const validate = ajv.compile({ ...(schema as object), components: document.components });
  validate(value);
  expect(validate.errors ?? []).toEqual([]);
}

/** A worker that imports. */
async function connectImporter(): Promise<() => Promise<void>> {
  const redis = connectConsumer(parts.redis.url);
  const worker = await startImportWorker({
    redis,
    prefix: 'trainyard',
    dataDir: parts.dataDir,
    log: pino({ level: 'silent' }),
    timings: defaultTimings,
    outage: parts.queue.outage,
    niceness: 0, // a busy machine would starve a nice one
  });
  return async () => {
    await worker.close();
    redis.disconnect();
  };
}

/** A worker that takes no job. */
async function connectWorker(): Promise<() => Promise<void>> {
  const redis = new Redis(parts.redis.url, { maxRetriesPerRequest: null });
  const worker = new Worker(queueName, null, { connection: redis, prefix: 'trainyard' });
  await worker.waitUntilReady();
  const heartbeat = announceWorker(redis, 'trainyard', 'nothing');
  await until(
    'a worker',
    () => parts.queue.health(),
    ({ workers }) => workers.length === 1,
  );
  return async () => {
    heartbeat.stop();
    await worker.close();
    redis.disconnect();
  };
}
