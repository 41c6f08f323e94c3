import { writeFile } from 'node:fs/promises';
import { METHODS, STATUS_CODES } from 'node:http';
import * as fc from 'fast-check';
import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { makeZip } from '../../harness/zip.ts';
import { type ImportQueue, openImportQueue } from '../../src/jobs/producer/import-queue.ts';
import { readSplit } from '../../src/model/data/built-in.ts';
import { imageAt } from '../../src/model/data/dataset.ts';
import { createUpload } from '../../src/model/data/import/uploads.ts';
import { openDatasets } from '../../src/model/data/imported/datasets.ts';
import { encodePng } from '../../src/model/image/encode-png.ts';
import { createMetrics, metricsRoutes } from '../../src/routes/metrics.ts';
import { closeAfterTest } from '../closing.ts';
import { createRedisServer, startRedisServer } from '../jobs/redis-server.ts';
import { timed, until } from '../jobs/until.ts';
import { openYard, shortTimings, type Yard } from '../jobs/yard.ts';
import { runs } from '../long.ts';
import { twoLabels } from '../model/data/import/importing.ts';
import { lint, readFamilies } from './metric-names.ts';
import { openAccess, type Parts, startParts } from './parts.ts';
import { buildQuietApp } from './quiet-app.ts';

const digit = await encodePng(imageAt(await readSplit('mnist', 'test'), 0), 28, 28);

/** 'name{labels}' → value */
function read(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => /^(\S+) (\S+)$/.exec(line)!.slice(1)).map(([name, value]) => [name!, Number(value)]),
  );
}

describe('the metrics of a service', () => {
  let parts: Parts;
  beforeAll(async () => {
    parts = await startParts();
    await parts.publishAndServe();
  });
  afterAll(() => parts.close());

  const scrape = async () => (await parts.app.inject('/metrics')).body;
  const values = async () => read(await scrape());
  const predict = (payload: Buffer) =>
    parts.app.inject({ method: 'POST', url: '/predict', headers: { 'content-type': 'image/png' }, payload });

  it('come in the text format of Prometheus', async () => {
    const response = await parts.app.inject('/metrics');
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(response.body).toMatch(/\n$/);
  });

  it('follow Prometheus’s naming rules', async () => {
    const families = readFamilies(await scrape());
    expect(families.filter(({ name }) => name.startsWith('trainyard_')).length).toBeGreaterThan(16);
    expect(families.flatMap(lint)).toEqual([]);
  });

  it('include the event loop delay of the API', async () => {
    const lag = (await values()).get('nodejs_eventloop_lag_p99_seconds');
    expect(lag).toBeGreaterThanOrEqual(0);
  });

  it('count predictions by outcome and measure their phases', async () => {
    const before = await values();
    await Promise.all([predict(digit), predict(digit)]);
    await predict(Buffer.from('no picture'));
    const after = await until('the batch to be told', values, (now) => grown(before, now, batches) === 2);
    expect(grown(before, after, 'trainyard_predictions_total{outcome="ok"}')).toBe(2);
    expect(grown(before, after, 'trainyard_predictions_total{outcome="IMAGE_TYPE_UNSUPPORTED"}')).toBe(1);
    for (const phase of ['decode', 'queue', 'infer'])
      expect(grown(before, after, `trainyard_prediction_phase_seconds_count{phase="${phase}"}`)).toBe(2);
    const answered = (status: number) =>
      `trainyard_http_request_duration_seconds_count{method="POST",route="/predict",status="${status}"}`;
    expect(grown(before, after, answered(200))).toBe(2);
    expect(grown(before, after, answered(415))).toBe(1);
  });

  it('describe the served model and its swap', async () => {
    const now = await values();
    expect(now.get('trainyard_model_version')).toBe(1);
    expect(now.get('trainyard_alias_version{model="mnist",alias="champion"}')).toBe(1);
    expect(now.get('trainyard_model_answers_total{model="mnist",alias="champion"}')).toBeGreaterThan(0);
    expect(now.get('trainyard_model_age_seconds')).toBeGreaterThan(0);
    expect(now.get('trainyard_model_swaps_total')).toBe(1);
    expect(now.get('trainyard_model_swap_duration_seconds_sum')).toBeGreaterThan(0);
    expect(now.get('trainyard_redis_up')).toBe(1);
  });

  it('start at 0 for known labels, so that Prometheus sees a first 1 as growth', async () => {
    const { body } = await (await buildQuietApp()).inject('/metrics');
    const now = read(body);
    for (const status of ['succeeded', 'failed', 'cancelled'])
      expect(now.get(`trainyard_jobs_ended_total{status="${status}"}`)).toBe(0);
    expect(now.get('trainyard_prediction_phase_seconds_count{phase="infer"}')).toBe(0);
    expect(now.get('trainyard_predictions_total{outcome="ok"}')).toBe(0);
  });
});

describe('the labels of requests', () => {
  it('are known routes, methods and statuses for any request', async () => {
    const app = await buildQuietApp();
    onTestFinished(() => app.close());
    const known = [
      '/jobs',
      '/jobs/x',
      '/jobs/train',
      '/models/1',
      '/models/x',
      '/predict',
      '/health/live',
      '/%',
    ];
    const method = fc.constantFrom(...METHODS); // Node itself answers 400 to any other method
    const url = fc.oneof(
      fc.constantFrom(...known),
      fc.webPath().map((path) => `/${path}`),
      fc.webUrl(),
    );
    await fc.assert(
      fc.asyncProperty(method, url, fc.webQueryParameters(), async (verb, path, query) => {
        await app.inject({ method: verb as 'GET', url: `${path}?${query}` });
      }),
      { numRuns: runs(300) },
    );
    const { body } = await app.inject('/metrics');
    const labels = [
      ...body.matchAll(/duration_seconds_count\{method="(.*?)",route="(.*?)",status="(.*?)"\}/g),
    ];
    expect(labels.length).toBeGreaterThan(5);
    for (const [, verb, route, status] of labels) {
      expect(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'other']).toContain(verb);
      expect(
        route === 'unknown' || METHODS.some((one) => app.hasRoute({ method: one, url: route! })),
        route,
      ).toBe(true);
      expect(STATUS_CODES).toHaveProperty(status!);
    }
    expect(labels.filter(([, , route]) => route === 'unknown').length).toBeLessThanOrEqual(8 * 3); // 8 methods; 403, 404, 400
  });
});

/** What an import must show in all. */
function importValues(numbers: Readonly<Record<string, number>>): Record<string, number> {
  const of = (name: string) => numbers[name] ?? 0;
  return {
    'trainyard_import_jobs{state="waiting"}': of('waiting'),
    'trainyard_import_jobs{state="active"}': of('active'),
    'trainyard_import_jobs{state="completed"}': of('completed'),
    'trainyard_import_jobs{state="failed"}': of('failed'),
    'trainyard_imports_ended_total{status="succeeded"}': of('succeeded'),
    'trainyard_imports_ended_total{status="failed"}': of('lost'),
    'trainyard_imports_ended_total{status="cancelled"}': of('cancelled'),
    'trainyard_import_images_total{outcome="read"}': of('pictures'),
    'trainyard_import_images_total{outcome="refused"}': of('refused'),
    trainyard_datasets_bytes: of('bytes'),
  };
}

/** Queues an import as the API does. */
async function queueImport(
  { dataDir }: Yard,
  imports: ImportQueue,
  name: string,
  archive: Buffer,
): Promise<void> {
  const id = (await imports.claim(name))!;
  await writeFile((await createUpload(dataDir, id)).archive, archive);
  const request = { name, form: 'picture', testShare: 0.2, seed: 1 } as const;
  await imports.add(id, { request, fileName: null, bytes: archive.length, requestId: 'test' });
}

const batches = 'trainyard_prediction_batch_images_sum';
const grown = (before: Map<string, number>, after: Map<string, number>, name: string) =>
  (after.get(name) ?? 0) - (before.get(name) ?? 0);

describe('the metrics of jobs', async () => {
  const { url } = await startRedisServer();
  const server = await createRedisServer();
  const predictor = {
    serving: () => ({}),
    model: () => null,
    load: () => ({ images: 0, bytes: 0, decodings: 0, inferences: 0 }),
  };

  const partsOf = (yard: Yard) => {
    const { queue, store, redisUrl, prefix, dataDir } = yard;
    const imports = openImportQueue({ redisUrl, prefix, outage: queue.outage });
    closeAfterTest(() => imports.close());
    const importedSets = openDatasets(dataDir);
    return { metrics: createMetrics(), queue, store, predictor, access: openAccess, imports, importedSets };
  };

  it('show imports by state, their pictures, those that ended, and what data sets take on disk', async () => {
    const yard = await openYard(url);
    const parts = partsOf(yard);
    const app = Fastify();
    await app.register(metricsRoutes, parts);
    const values = async () => {
      const now = read((await app.inject('/metrics')).body);
      return [...now].filter(([name]) => /^trainyard_(?:import|datasets)/.test(name));
    };
    const none = { waiting: 0, active: 0, completed: 0, failed: 0, succeeded: 0, cancelled: 0, pictures: 0 };
    expect(Object.fromEntries(await values())).toEqual(importValues(none));
    const broken = { name: 'b/broken.png', data: Buffer.from('no picture') };
    await queueImport(yard, parts.imports, 'good', makeZip([...twoLabels(5), broken]));
    await queueImport(yard, parts.imports, 'bad', Buffer.from('no archive'));
    expect(Object.fromEntries(await values())).toEqual(importValues({ ...none, waiting: 2 }));
    await yard.startWorker();
    const ended = await until('the ends', values, (now) => {
      const of = (status: string) => new Map(now).get(`trainyard_imports_ended_total{status="${status}"}`);
      return of('succeeded') === 1 && of('failed') === 1 && of('cancelled') === 0;
    });
    const bytes = await parts.importedSets.bytes();
    expect(bytes).toBeGreaterThan(10 * 784);
    const expected = {
      ...none,
      completed: 1,
      failed: 1,
      succeeded: 1,
      lost: 1,
      pictures: 10,
      refused: 1,
      bytes,
    };
    expect(Object.fromEntries(ended)).toEqual(importValues(expected));
    expect(await values()).toEqual(ended);
  });

  it('show jobs by state, the training rate, and the duration of ended jobs', async () => {
    const yard = await openYard(url);
    const app = Fastify();
    await app.register(metricsRoutes, partsOf(yard));
    const values = async () => read((await app.inject('/metrics')).body);
    const { id } = await yard.enqueue({ epochs: 3, trainImages: 640 });
    expect((await values()).get('trainyard_jobs{state="waiting"}')).toBe(1);
    await yard.startWorker({ timings: { ...shortTimings, stepPauseMs: 20 } });
    const accuracy = 'trainyard_training_test_accuracy_ratio';
    const running = await until('an accuracy', values, (now) => now.get(accuracy)! > 0);
    expect(running.get('trainyard_training_images_per_second')).toBeGreaterThan(0);
    expect(running.get('trainyard_training_loss')).toBeGreaterThan(0);
    const { startedAt, finishedAt } = await yard.untilEnded(id);
    const ended = await values();
    expect(ended.get('trainyard_jobs{state="completed"}')).toBe(1);
    expect(ended.get('trainyard_training_images_per_second')).toBe(0);
    expect(ended.has('trainyard_training_loss')).toBe(false);
    expect(ended.has(accuracy)).toBe(false);
    expect(ended.get('trainyard_jobs_ended_total{status="succeeded"}')).toBe(1);
    expect(ended.get('trainyard_job_duration_seconds_count{status="succeeded"}')).toBe(1);
    const seconds = (Date.parse(finishedAt!) - Date.parse(startedAt!)) / 1000;
    expect(ended.get('trainyard_job_duration_seconds_sum{status="succeeded"}')).toBeCloseTo(seconds);
    expect((await values()).get('trainyard_job_duration_seconds_count{status="succeeded"}')).toBe(1); // once
  });

  it('count no ended job at a server’s first scrape, since Prometheus sees no growth in a first value', async () => {
    const yard = await openYard(url);
    await yard.startWorker();
    await yard.untilEnded((await yard.enqueue()).id);
    const app = Fastify();
    await app.register(metricsRoutes, partsOf(yard));
    const ended = async () =>
      read((await app.inject('/metrics')).body).get('trainyard_jobs_ended_total{status="succeeded"}');
    expect([await ended(), await ended(), await ended()]).toEqual([0, 1, 1]);
  });

  it.each(['gone', 'silent'] as const)(
    'are not those of before, within a second, when Redis is %s',
    async (how) => {
      await server.start();
      const yard = await openYard(server.url, undefined, 800);
      const app = Fastify();
      const parts = partsOf(yard);
      const { metrics } = parts;
      await app.register(metricsRoutes, parts);
      const scrape = async () => (await app.inject('/metrics')).body;
      await yard.enqueue();
      metrics.loss.set(1);
      expect(read(await scrape()).get('trainyard_jobs{state="waiting"}')).toBe(1);
      if (how === 'gone') await server.stop();
      else server.pause();
      const { value, ms } = await timed(scrape);
      expect(ms).toBeLessThan(1000);
      const now = read(value);
      expect(now.get('trainyard_redis_up')).toBe(0);
      const stale = [...now.keys()].filter((name) => /^trainyard_(?:training_|jobs\{|import)/.test(name));
      expect(stale).toEqual([]);
      expect(now.get('trainyard_jobs_ended_total{status="succeeded"}')).toBe(0); // already counted
    },
  );
});
