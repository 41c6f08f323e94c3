import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openQueue } from '../../src/jobs/queue.ts';
import { imageAt, readSplit } from '../../src/model/dataset.ts';
import { encodePng } from '../../src/model/picture.ts';
import { createMetrics, metricsRoutes } from '../../src/routes/metrics.ts';
import { startRedisServer } from '../jobs/redis-server.ts';
import { until } from '../jobs/until.ts';
import { openYard } from '../jobs/yard.ts';
import { type Parts, startParts } from './parts.ts';

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
  }, 60_000);
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

  it('have each a help and a type, and a unit in their names', async () => {
    const text = await scrape();
    const names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({
      name: name!,
      type,
    }));
    expect(names.length).toBeGreaterThan(15);
    for (const { name, type } of names) {
      expect(text).toMatch(new RegExp(`^# HELP ${name} \\S+`, 'm'));
      if (!name.startsWith('trainyard_')) continue; // Node's own, in names that dashboards know
      expect(name).toMatch(/_(?:seconds|images|total|ratio|per_second|version|jobs|loss|up)$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
    }
  });

  it('count predictions, by what came of them and where their time went', async () => {
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

  it('name the model that answers, and how it came', async () => {
    const now = await values();
    expect(now.get('trainyard_model_version')).toBe(1);
    expect(now.get('trainyard_model_age_seconds')).toBeGreaterThan(0);
    expect(now.get('trainyard_model_swaps_total')).toBe(1);
    expect(now.get('trainyard_model_swap_duration_seconds_sum')).toBeGreaterThan(0);
    expect(now.get('trainyard_redis_up')).toBe(1);
  });

  it('have no label that a client makes up', async () => {
    for (const path of ['/no/such/path', '/jobs/0190a1b2-0000-7000-8000-000000000000', '/models/77'])
      await parts.app.inject(`${path}?x=${Math.random()}`);
    await parts.app.inject({ method: 'PROPFIND', url: '/jobs' });
    const text = await scrape();
    const labels = [...text.matchAll(/route="([^"]*)"/g)].map(([, route]) => route!);
    expect(new Set(labels)).toEqual(
      new Set(['/metrics', '/predict', 'unknown', '/jobs/:id', '/models/:version']),
    );
  });
});

const batches = 'trainyard_prediction_batch_images_sum';
const grown = (before: Map<string, number>, after: Map<string, number>, name: string) =>
  (after.get(name) ?? 0) - (before.get(name) ?? 0);

describe('the metrics of jobs', async () => {
  const { url } = await startRedisServer();
  const predictor = { model: () => null, load: () => ({ images: 0, bytes: 0, decodings: 0, inferences: 0 }) };

  it('tell how jobs stand, how fast one trains, and how long it took', async () => {
    const yard = await openYard(url);
    const app = Fastify();
    await app.register(metricsRoutes, {
      metrics: createMetrics(),
      queue: yard.queue,
      store: yard.store,
      predictor,
    });
    const values = async () => read((await app.inject('/metrics')).body);
    const { id } = await yard.enqueue({ epochs: 3, trainImages: 3200 });
    expect((await values()).get('trainyard_jobs{state="waiting"}')).toBe(1);
    await yard.startWorker();
    const running = await until(
      'the rate of a job',
      values,
      (now) => now.get('trainyard_training_images_per_second')! > 0,
    );
    expect(running.get('trainyard_training_loss')).toBeGreaterThan(0);
    const { startedAt, finishedAt } = await yard.untilEnded(id);
    const ended = await values();
    expect(ended.get('trainyard_jobs{state="completed"}')).toBe(1);
    expect(ended.get('trainyard_training_images_per_second')).toBe(0);
    expect(ended.get('trainyard_job_duration_seconds_count{status="succeeded"}')).toBe(1);
    const seconds = (Date.parse(finishedAt!) - Date.parse(startedAt!)) / 1000;
    expect(ended.get('trainyard_job_duration_seconds_sum{status="succeeded"}')).toBeCloseTo(seconds);
    expect((await values()).get('trainyard_job_duration_seconds_count{status="succeeded"}')).toBe(1); // once
  });

  it('are those that are known, and say so, when Redis is away', async () => {
    const queue = openQueue({ redisUrl: 'redis://127.0.0.1:9', onError: () => {} }); // nobody listens there
    onTestFinished(() => queue.close());
    const app = Fastify();
    const store = { manifest: async () => null };
    await app.register(metricsRoutes, { metrics: createMetrics(), queue, store, predictor });
    const { statusCode, body } = await app.inject('/metrics');
    expect(statusCode).toBe(200);
    expect(read(body).get('trainyard_redis_up')).toBe(0);
  });
});
