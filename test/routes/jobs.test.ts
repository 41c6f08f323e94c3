import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainJob } from '../../src/jobs/contract.ts';
import { type Parts, startParts } from './parts.ts';
import { buildQuietApp } from './quiet-app.ts';

let parts: Parts;
beforeAll(async () => {
  parts = await startParts({ predicts: false });
});
afterAll(() => parts.close());

const post = (url: string, payload?: unknown, headers: Record<string, string> = {}) =>
  parts.app.inject({
    method: 'POST',
    url,
    headers: payload === undefined ? headers : { 'content-type': 'application/json', ...headers },
    ...(payload !== undefined && {
      payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    }),
  });

describe('POST /jobs/train', () => {
  it('answers 202 with the job, every value resolved, and its location', async () => {
    const response = await post('/jobs/train', { recipe: 'article', epochs: 2 });
    const job = response.json<TrainJob>();
    expect(response.statusCode).toBe(202);
    expect(response.headers['location']).toBe(`/jobs/${job.id}`);
    expect(job).toMatchObject({ status: 'queued', attempt: 0, progress: null, epochs: [], error: null });
    expect(job.request).toEqual({
      model: 'mnist',
      promote: 'unless-worse',
      corrections: false,
      recipe: 'article',
      dataset: 'mnist',
      network: 'article',
      epochs: 2,
      passes: 1,
      patience: null,
      balance: false,
      batchSize: 64,
      learningRate: 0.01,
      schedule: 'constant',
      warmup: 0,
      labelSmoothing: 0,
      shuffle: false,
      augment: false,
      otherHands: 0,
      outliers: 0,
      calibrationImages: 0,
      seed: 1,
      trainImages: null,
      testImages: null,
      metadata: {},
    });
  });

  it.each([undefined, '', '\n'])('takes no body at all for the default recipe: %j', async (body) => {
    const response = await post('/jobs/train', body);
    expect(response.statusCode).toBe(202);
    expect(response.json<TrainJob>().request.recipe).toBe('default');
  });

  it.each([
    [{ epochs: -1 }, 'epochs', /expected at least 1, got -1/],
    [{ epochs: 1.5 }, 'epochs', /expected a whole number, got 1.5/],
    [{ learningRate: 'fast' }, 'learningRate', /expected a number, got "fast"/],
    [{ learningRate: 0 }, 'learningRate', /expected more than 0, got 0/],
    [
      { recipe: 'magic' },
      'recipe',
      /expected one of "default", "small", "fast", "accurate", "article", got "magic"/,
    ],
    [{ dataset: 'CIFAR' }, 'dataset', /got "CIFAR"/],
    [{ batchSize: 5000 }, 'batchSize', /expected at most 4096, got 5000/],
    [{ seed: -1 }, 'seed', /got -1/],
    [{ trainImages: 10_000_001 }, 'trainImages', /got 10000001/],
    [{ shuffle: 'yes' }, 'shuffle', /expected true or false/],
    [{ colour: 'red' }, 'colour', /expected no such field, only recipe, .*dataset, .*, metadata$/],
    [{ metadata: { note: 'x'.repeat(2000) } }, 'metadata.note', /got "x+/],
    [[], '(all)', /expected an object, got/],
    ['"text"', '(all)', /expected an object, got/],
    ['null', '(all)', /expected an object, got/],
  ])('answers %j with a 400 that names the field', async (body, field, message) => {
    const response = await post('/jobs/train', body);
    expect(response.statusCode).toBe(400);
    expect(response.headers['content-type']).toMatch('application/problem+json');
    const problem = response.json();
    expect(problem).toMatchObject({ code: 'VALIDATION_FAILED', status: 400, instance: '/jobs/train' });
    expect(problem.errors[0].field).toBe(field);
    expect(problem.errors[0].message).toMatch(message);
  });

  it('names every wrong field at once', async () => {
    const response = await post('/jobs/train', { epochs: 0, seed: 'x', colour: 1 });
    const fields = response.json().errors.map(({ field }: { field: string }) => field);
    expect(fields.toSorted()).toEqual(['colour', 'epochs', 'seed']);
  });

  it.each([
    [{ network: { layers: [] } }, 'network.layers'],
    [
      { network: { layers: [{ kind: 'convolution', filters: 0, kernelSize: 3 }] } },
      'network.layers.0.filters',
    ],
    [{ network: { layers: [{ kind: 'pool', size: 2 }] } }, 'network.layers.0.kind'],
    [
      { network: { layers: [{ kind: 'convolution', filters: 4, kernelSize: 3, batchNorm: 'yes' }] } },
      'network.layers.0.batchNorm',
    ],
    [{ network: 'resnet' }, 'network'],
    [{ network: 7 }, 'network'],
    [{ dataset: 'Letters!' }, 'dataset'],
  ])('names what is wrong inside %j', async (body, field) => {
    const { status, errors } = (await post('/jobs/train', body)).json();
    expect([status, errors[0].field]).toEqual([400, field]);
    expect(errors[0].message).toContain('expected ');
  });

  it('answers a data set that is not there with 404, and says how to import it', async () => {
    expect((await post('/jobs/train', { dataset: 'runes' })).json()).toMatchObject({
      status: 404,
      code: 'DATASET_NOT_FOUND',
      detail: expect.stringContaining('POST /datasets?name=runes'),
    });
  });

  it('refuses more images than the data set has, and takes as many', async () => {
    const [field, message] = [
      'trainImages',
      'expected at most 60000, the images to train on of data set mnist, got 60001; leave it out for all',
    ];
    for (const query of ['', '?dryRun=true']) {
      const problem = (await post(`/jobs/train${query}`, { trainImages: 60_001 })).json();
      expect(problem).toMatchObject({ status: 400, code: 'VALIDATION_FAILED', errors: [{ field, message }] });
    }
    const taken = (await post('/jobs/train?dryRun=true', { trainImages: 60_000 })).json();
    expect(taken.request.trainImages).toBe(60_000);
  });

  it('refuses layers that only the last one, for the labels, makes too large', async () => {
    const network = { layers: [{ kind: 'convolution', filters: 512, kernelSize: 1 }] };
    const problem = (await post('/jobs/train', { network })).json();
    expect(problem).toMatchObject({ status: 400, errors: [{ field: 'network' }] });
    expect(problem.detail).toContain(
      'expected at most 2000000 parameters in all, got 4015114 with the layer for the 10 labels',
    );
  });

  it('takes layers in place of a network’s name', async () => {
    for (const extra of [{}, { pool: 2 }, { batchNorm: true }]) {
      const network = { layers: [{ kind: 'convolution', filters: 4, kernelSize: 3, ...extra }] };
      const response = await post('/jobs/train', { network });
      expect([response.statusCode, response.json().request.network]).toEqual([202, network]);
    }
  });

  it('answers a body that is not JSON with 400, and one of another type with 415', async () => {
    expect((await post('/jobs/train', '{"epochs":')).json()).toMatchObject({
      status: 400,
      code: 'JSON_INVALID',
    });
    const text = await post('/jobs/train', 'epochs=1', { 'content-type': 'text/plain' });
    expect(text.json()).toMatchObject({ status: 415, code: 'MEDIA_TYPE_UNSUPPORTED' });
  });

  it.each([
    ['{"epochs":', /^expected a body of valid JSON, got: Unexpected end of JSON input$/],
    ['{"__proto__": {"epochs": 1}}', /^expected no key "__proto__"/],
    [
      '{"metadata": [{"constructor": {"prototype": {}}}]}',
      /^expected no key .*"prototype" in a "constructor"/,
    ],
  ])('says what is wrong with the body %s', async (body, detail) => {
    const response = await post('/jobs/train', body);
    expect(response.json()).toMatchObject({ status: 400, code: 'JSON_INVALID' });
    expect(response.json().detail).toMatch(detail);
  });

  it('answers a body over the limit with 413', async () => {
    const response = await post('/jobs/train', { metadata: { note: 'x'.repeat(100_000) } });
    expect(response.json()).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' });
  });

  it('never answers any JSON with a 5xx', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (body) => {
        const response = await post('/jobs/train', body);
        expect(response.statusCode).toBeLessThan(500);
      }),
      { numRuns: 60 },
    );
  });

  it('answers JSON nested more deeply than JSON.stringify can write with 400', async () => {
    const response = await post('/jobs/train', `${'['.repeat(20_000)}${']'.repeat(20_000)}`);
    expect(response.json()).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
  });

  it('gives the same job for the same Idempotency-Key and body, and 409 for another body', async () => {
    const headers = { 'idempotency-key': 'order-1' };
    const first = await post('/jobs/train', { seed: 5 }, headers);
    const again = await post('/jobs/train', { seed: 5 }, headers);
    const other = await post('/jobs/train', { seed: 6 }, headers);
    expect(again.statusCode).toBe(202);
    expect(again.json<TrainJob>().id).toBe(first.json<TrainJob>().id);
    expect(other.json()).toMatchObject({ status: 409, code: 'IDEMPOTENCY_KEY_REUSED' });
  });

  it('gives the same job also after PROMOTE has changed, but not for another promotion that the body asks for', async () => {
    const headers = { 'idempotency-key': 'order-2' };
    const first = await post('/jobs/train', { seed: 5 }, headers);
    const changed = await buildQuietApp({ queue: parts.queue, promote: 'never' });
    const again = await changed.inject({ method: 'POST', url: '/jobs/train', headers, payload: { seed: 5 } });
    expect(again.json()).toMatchObject({
      id: first.json<TrainJob>().id,
      request: { promote: 'unless-worse' },
    });
    const other = await post('/jobs/train', { seed: 5, promote: 'never' }, headers);
    expect(other.statusCode).toBe(409);
    await changed.close();
  });
});

describe('GET /jobs and GET /jobs/:id', () => {
  it('lists newest first and pages without gaps', async () => {
    const all = (await parts.app.inject('/jobs?limit=100'))
      .json<{ data: TrainJob[] }>()
      .data.map(({ id }) => id);
    expect(all).toEqual(all.toSorted().toReversed());
    const paged: string[] = [];
    for (let after = ''; ; ) {
      const page = (await parts.app.inject(`/jobs?limit=2${after}`)).json<{
        data: TrainJob[];
        hasMore: boolean;
      }>();
      paged.push(...page.data.map(({ id }) => id));
      if (!page.hasMore) break;
      after = `&after=${paged.at(-1)}`;
    }
    expect(paged).toEqual(all);
  });

  it.each(['limit=0', 'limit=101', 'limit=x', 'status=done', 'page=1'])('refuses ?%s', async (query) => {
    expect((await parts.app.inject(`/jobs?${query}`)).json()).toMatchObject({ status: 400 });
  });

  it('answers an unknown id with 404', async () => {
    for (const id of ['nope', '00000000-0000-7000-8000-000000000000', '..%2F..%2Fetc']) {
      expect((await parts.app.inject(`/jobs/${id}`)).json()).toMatchObject({
        status: 404,
        code: 'JOB_NOT_FOUND',
      });
    }
  });
});

describe('POST /jobs/:id/cancel', () => {
  it('ends a queued job at once, and can be repeated', async () => {
    const { id } = (await post('/jobs/train', {})).json<TrainJob>();
    for (let i = 0; i < 2; i++) {
      const response = await post(`/jobs/${id}/cancel`);
      expect(response.statusCode).toBe(202);
      expect(response.json<TrainJob>()).toMatchObject({
        status: 'cancelled',
        finishedAt: expect.any(String),
      });
    }
  });

  it('answers an unknown id with 404', async () => {
    expect((await post('/jobs/nope/cancel')).json()).toMatchObject({ status: 404, code: 'JOB_NOT_FOUND' });
  });
});
