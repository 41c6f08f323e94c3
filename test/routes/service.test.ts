/** The API across resources: health, unknown paths, data sets, models, an outage of Redis. */
import { mkdir, rename } from 'node:fs/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildNetwork } from '../../src/model/network/network.ts';
import { openStore } from '../../src/model/store/store.ts';
import { recipeNames, recipes } from '../../src/model/training/recipe.ts';
import { timed, until } from '../jobs/until.ts';
import { makeChampion } from '../model/registry/champion.ts';
import { provenance } from '../model/store/provenance.ts';
import { damage, evaluation, pathOf, publish, weights } from '../model/store/versions.ts';
import { temporaryDirectory } from '../temporary.ts';
import { type Parts, startParts } from './parts.ts';

let parts: Parts;
beforeAll(async () => {
  parts = await startParts();
});
afterAll(() => parts.close());

describe('health', () => {
  it('is live', async () => {
    expect((await parts.app.inject('/health/live')).json()).toEqual({ status: 'live' });
  });

  it('names the part that is not ready', async () => {
    const response = await parts.app.inject('/health/ready');
    expect(response.statusCode).toBe(503);
    expect(response.json()).toMatchObject({
      status: 'notReady',
      checks: { redis: { ok: true }, worker: { ok: false }, model: { ok: false } },
    });
  });

  it('is ready without a model while a training job is queued', async () => {
    const { id } = (await parts.app.inject({ method: 'POST', url: '/jobs/train' })).json();
    const { checks } = (await parts.app.inject('/health/ready')).json();
    expect(checks.model).toEqual({ ok: true, detail: 'none yet; a training job is queued or running' });
    await parts.app.inject({ method: 'POST', url: `/jobs/${id}/cancel` });
    expect((await parts.app.inject('/health/ready')).json().checks.model.ok).toBe(false);
  });
});

describe('models', () => {
  it('lists none in an empty store', async () => {
    expect((await parts.app.inject('/models')).json()).toEqual({ data: [], hasMore: false });
  });

  it('shows provenance and which version is served, newest first', async () => {
    await parts.publishAndServe();
    await parts.publishAndServe();
    const { data } = (await parts.app.inject('/models')).json();
    expect(
      data.map(({ version, served }: { version: number; served: boolean }) => [version, served]),
    ).toEqual([
      [2, true],
      [1, false],
    ]);
    expect((await parts.app.inject('/models/1')).json()).toMatchObject({
      version: 1,
      jobId: 'job-1',
      parameters: 121_514,
    });
    expect((await parts.app.inject('/models?limit=1')).json()).toMatchObject({ hasMore: true });
    expect((await parts.app.inject('/models?after=2')).json().data).toHaveLength(1);
  });

  it.each([
    ['/models/99', 404, 'MODEL_NOT_FOUND'],
    ['/models/0', 400, 'VALIDATION_FAILED'],
    ['/models/latest', 400, 'VALIDATION_FAILED'],
    ['/models/..%2F..%2Fetc', 400, 'VALIDATION_FAILED'],
  ])('answers %s with %i', async (url, status, code) => {
    expect((await parts.app.inject(url)).json()).toMatchObject({ status, code });
  });
});

describe('a damaged model', () => {
  it('is named in readiness and under its number, while the version before it is served', async () => {
    const damaged = await publishDamaged();
    await makeChampion(parts.dataDir, damaged);
    const { checks } = await until(
      'the damaged model to be in quarantine',
      async () => (await parts.app.inject('/health/ready')).json(),
      (readiness) => readiness.checks.model.detail.includes('SHA-256'),
    );
    expect(checks.model).toEqual({
      ok: true,
      detail: expect.stringMatching(
        new RegExp(
          `^version ${damaged - 1} on .*; in quarantine: weights.bin of model ${damaged}: expected SHA-256`,
        ),
      ),
    });
    expect((await parts.app.inject(`/models/${damaged}`)).json()).toMatchObject({
      status: 404,
      code: 'MODEL_QUARANTINED',
      detail: expect.stringMatching(
        new RegExp(`^model ${damaged} is in quarantine since .*: weights.bin of model ${damaged}: .*SHA-256`),
      ),
    });
    const { data } = (await parts.app.inject('/models')).json();
    expect(data.map(({ version }: { version: number }) => version)).not.toContain(damaged);
    expect(await parts.publishAndServe()).toBe(damaged + 1);
  });

  it('is a 404 with the reason when it was damaged after it was loaded', async () => {
    const [served] = await parts.store.versions();
    await damage(parts.dataDir, served!, 'manifest.json');
    const problem = (await parts.app.inject(`/models/${served}`)).json();
    expect(problem).toMatchObject({ status: 404, code: 'MODEL_DAMAGED' });
    expect(problem.detail).toContain(`manifest.json of model ${served}`);
    expect(problem.detail).not.toContain(parts.dataDir);
  });
});

/** Publishes a version and damages it before any reader can see it. */
async function publishDamaged(): Promise<number> {
  const [newest = 0] = await parts.store.versions();
  const elsewhere = await temporaryDirectory();
  await mkdir(pathOf(elsewhere, newest), { recursive: true });
  const version = await publish(openStore(elsewhere));
  await damage(elsewhere, version);
  await rename(pathOf(elsewhere, version), pathOf(parts.dataDir, version));
  return version;
}

describe('the evaluation of a model', () => {
  it('is shown with its version', async () => {
    const version = await publish(parts.store);
    const response = await parts.app.inject(`/models/${version}/evaluation`);
    expect(response.json()).toEqual({ version, ...evaluation });
  });

  it('is a 404 with the reason when it is damaged, while the model is served', async () => {
    const version = await publish(parts.store);
    await damage(parts.dataDir, version, 'evaluation.json');
    expect((await parts.app.inject('/models?limit=1')).json().data[0].version).toBe(version);
    const problem = (await parts.app.inject(`/models/${version}/evaluation`)).json();
    expect(problem).toMatchObject({ status: 404, code: 'MODEL_DAMAGED' });
    expect(problem.detail).toContain(`evaluation.json of model ${version}: expected SHA-256`);
    expect(problem.detail).not.toContain(parts.dataDir);
    await makeChampion(parts.dataDir, version);
    await until(
      'the model to be served',
      async () => parts.predictor.model()?.version,
      (served) => served === version,
    );
  });

  it('is a 404 for a version that was published without one', async () => {
    const { version } = await parts.store.publish(buildNetwork('article', 10), weights, provenance);
    const problem = (await parts.app.inject(`/models/${version}/evaluation`)).json();
    expect(problem).toMatchObject({ status: 404, code: 'EVALUATION_MISSING' });
    expect(problem.detail).toContain(`model ${version}`);
  });

  it('is a 404 for a version in quarantine', async () => {
    const version = await publish(parts.store);
    await parts.store.quarantine(version, 'a reason');
    const response = await parts.app.inject(`/models/${version}/evaluation`);
    expect(response.json()).toMatchObject({ status: 404, code: 'MODEL_QUARANTINED' });
  });

  it.each([
    ['/models/99/evaluation', 404, 'MODEL_NOT_FOUND'],
    ['/models/0/evaluation', 400, 'VALIDATION_FAILED'],
    ['/models/latest/evaluation', 400, 'VALIDATION_FAILED'],
  ])('answers %s with %i', async (url, status, code) => {
    expect((await parts.app.inject(url)).json()).toMatchObject({ status, code });
  });
});

describe('recipes', () => {
  it('are listed with all of their values and a summary', async () => {
    const { data } = (await parts.app.inject('/recipes')).json();
    const summary = expect.stringMatching(/^.{20,100}$/);
    const expected = recipeNames.map((name) => ({ name, summary, ...recipes[name] }));
    expect(data).toEqual(expected);
  });

  it('have the values for a data set, and one of them is that of a job that names none', async () => {
    const { data, automatic } = (await parts.app.inject('/recipes?dataset=mnist')).json();
    expect(automatic).toBe('default');
    expect(data.map(({ name }: { name: string }) => name)).toEqual(recipeNames);
  });

  it('have the values that a job with that recipe gets', async () => {
    const { data } = (await parts.app.inject('/recipes')).json();
    for (const { summary: _, name, ...values } of data) {
      const payload = { recipe: name };
      const job = (await parts.app.inject({ method: 'POST', url: '/jobs/train', payload })).json();
      await parts.app.inject({ method: 'POST', url: `/jobs/${job.id}/cancel` });
      expect(job.request).toMatchObject(values);
    }
  });
});

describe('data sets', () => {
  it('draws nine samples, the same ones for the same seed', async () => {
    const [first, again, other] = await Promise.all(
      ['1', '1', '2'].map((seed) => parts.app.inject(`/datasets/mnist/samples.png?seed=${seed}`)),
    );
    expect(first!.headers['content-type']).toBe('image/png');
    expect(await sharp(first!.rawPayload).metadata()).toMatchObject({ format: 'png' });
    expect(again!.rawPayload.equals(first!.rawPayload)).toBe(true);
    expect(other!.rawPayload.equals(first!.rawPayload)).toBe(false);
  });

  it('gives one test image as a 28×28 grey PNG', async () => {
    const response = await parts.app.inject('/datasets/mnist/test/0.png');
    expect(response.headers['x-label']).toBe('7');
    expect(await sharp(response.rawPayload).metadata()).toMatchObject({ width: 28, height: 28, channels: 1 });
  });

  it.each([
    ['/datasets/cifar/samples.png', 404, 'DATASET_NOT_FOUND'],
    ['/datasets/mnist/samples.png?seed=x', 400, 'VALIDATION_FAILED'],
    ['/datasets/mnist/test/10000.png', 404, 'PICTURE_NOT_FOUND'],
    ['/datasets/mnist/test/x.png', 400, 'VALIDATION_FAILED'],
  ])('refuses %s', async (url, status, code) => {
    expect((await parts.app.inject(url)).json()).toMatchObject({ status, code });
  });
});

describe('the API as a whole', () => {
  it('answers an unknown path with a problem', async () => {
    expect((await parts.app.inject('/nope?x=1')).json()).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
      instance: '/nope',
    });
  });

  it.each([
    ['DELETE', '/jobs', 'GET, HEAD'],
    ['GET', '/jobs/train/', 'POST'],
    ['GET', '/jobs/train/?x=1', 'POST'],
    ['DELETE', '/docs', 'GET, HEAD'],
    ['DELETE', '/admin/queues/', 'GET, HEAD'],
    ['GET', '/jobs/train//', null],
    ['PUT', '/jobs/train', 'POST'],
    ['PATCH', '/jobs/x', 'GET, HEAD'],
    ['OPTIONS', '/predict', 'POST'],
    ['POST', '/', 'GET, HEAD'],
    ['POST', '/docs/', 'GET, HEAD'],
    ['HEAD', '/jobs/x/events', 'GET'],
    ['POST', '/openapi.json', 'GET, HEAD'],
    ['PROPFIND', '/predict', 'POST'],
    ['REPORT', '/jobs/x', 'GET, HEAD'],
    ['PURGE', '/nope', null],
  ] as const)('answers %s %s with what the path takes: %s', async (method, url, allow) => {
    const headers = { 'content-type': 'text/plain' };
    const response = await parts.app.inject({ method, url, headers, payload: 'x' });
    expect(response.statusCode).toBe(allow === null ? 404 : 405);
    expect(response.headers['allow']).toBe(allow ?? undefined);
    expect(response.headers['content-type']).toMatch('application/problem+json');
  });
});

describe('without Redis', () => {
  it('answers 503 within a second, and /predict still works', async () => {
    await parts.redis.close();
    const { value: answers, ms } = await timed(() =>
      Promise.all([
        parts.app.inject({ method: 'POST', url: '/jobs/train' }),
        parts.app.inject('/jobs'),
        parts.app.inject('/jobs/x'),
        parts.app.inject({ method: 'POST', url: '/jobs/x/cancel' }),
      ]),
    );
    expect(ms).toBeLessThan(1000);
    for (const answer of answers) {
      expect(answer.json()).toMatchObject({ status: 503, code: 'REDIS_UNAVAILABLE' });
      expect(answer.headers['retry-after']).toBe('1');
    }
    expect((await parts.app.inject('/health/ready')).json()).toMatchObject({
      checks: { redis: { ok: false } },
    });
    const digit = (await parts.app.inject('/datasets/mnist/test/0.png')).rawPayload;
    const headers = { 'content-type': 'image/png' };
    const predicted = await parts.app.inject({ method: 'POST', url: '/predict', headers, payload: digit });
    expect(predicted.statusCode).toBe(200);
  });
});
