/** Corrections and the review list over HTTP, on the real parts. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { TrainJob } from '../../src/jobs/contract.ts';
import { imageAt } from '../../src/model/data/dataset.ts';
import { encodePng } from '../../src/model/image/encode-png.ts';
import { mnist } from '../model/data/mnist.ts';
import { type Parts, startParts } from './parts.ts';

type Shown = { id: string; label: string | null; input: string; warnings?: object[] };
type List<Entry> = { data: Entry[]; hasMore: boolean; count: number };

let parts: Parts;
beforeAll(async () => {
  parts = await startParts({ keepInputs: true });
  await parts.publishAndServe();
});
afterAll(() => parts.close());

const pictureOf = async (index: number) =>
  (await encodePng(imageAt(mnist.test, index), 28, 28)).toString('base64');
const post = (payload: object, url = '/corrections') => parts.app.inject({ method: 'POST', url, payload });
const get = (url: string) => parts.app.inject(url);
const remove = (url: string) => parts.app.inject({ method: 'DELETE', url });
const correct = async (index: number, label: string | null, more = {}) =>
  post({ image: await pictureOf(index), label, ...more });
const predict = async (index: number, query = '') => {
  const response = await post({ image: await pictureOf(index) }, `/predict${query}`);
  return response.json<{ predictionId?: string; input?: string }>();
};

const seven = await pictureOf(0);

describe('POST /corrections', () => {
  it('keeps what a picture shows, where Location says', async () => {
    const response = await correct(0, '7');
    expect(response.statusCode).toBe(201);
    const correction = response.json<Shown>();
    expect(correction).toMatchObject({ model: 'mnist', label: '7', input: await pictureOf(0) });
    expect(correction).toMatchObject({ answer: { version: 1, label: expect.stringMatching(/^\d$/) } });
    expect(response.headers.location).toBe(`/corrections/${correction.id}`);
    const { warnings, ...stored } = correction;
    expect(warnings).toEqual([]);
    expect((await get(`/corrections/${correction.id}`)).json()).toEqual(stored);
  });

  it('is 200 for the same picture and label, in whatever file, and 409 for another label', async () => {
    const first = (await correct(1, '2')).json<Shown>();
    const again = await correct(1, '2', { model: 'mnist' });
    expect([again.statusCode, again.json()]).toEqual([200, first]);
    expect(again.headers.location).toBe(`/corrections/${first.id}`);
    for (const label of ['3', null]) {
      const other = await correct(1, label);
      expect([other.statusCode, other.json<{ code: string }>().code]).toEqual([409, 'CORRECTION_CONFLICT']);
      expect(other.json<{ detail: string }>().detail).toContain(`label "2", which correction ${first.id}`);
    }
  });

  it('takes a compressed body', async () => {
    const body = JSON.stringify({ image: await pictureOf(2), label: '1' });
    const response = await parts.app.inject({
      method: 'POST',
      url: '/corrections',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      payload: gzipSync(body),
    });
    expect(response.statusCode).toBe(201);
  });

  it.each([
    ['no label', { image: 'iVBO' }, 400, 'label'],
    ['a number as label', { image: 'iVBO', label: 7 }, 400, "one of the model's labels"],
    [
      'a label of another data set',
      { image: seven, label: 'a' },
      400,
      'expected a label of the model, "0", "1"',
    ],
    ['neither picture nor answer', { label: '7' }, 400, 'either image or predictionId'],
    ['both', { image: 'iVBO', predictionId: crypto.randomUUID(), label: '7' }, 400, 'either image'],
    [
      'an answer and a model',
      { predictionId: crypto.randomUUID(), label: '7', model: 'mnist' },
      400,
      'image only',
    ],
    ['an id that is none', { predictionId: '../../etc', label: '7' }, 400, 'predictionId'],
    [
      'an answer that is not kept',
      { predictionId: crypto.randomUUID(), label: '7' },
      404,
      'send the picture itself',
    ],
    ['another field', { image: 'iVBO', label: '7', digit: 7 }, 400, 'digit'],
    ['no base64', { image: '~', label: '7' }, 400, 'base64'],
    ['no picture', { image: 'aGVsbG8=', label: '7' }, 415, 'PNG'],
    ['an empty picture', { image: '', label: '7' }, 422, 'got no bytes'],
  ])('refuses %s', async (_what, body, status, words) => {
    const response = await post(body);
    expect(response.statusCode).toBe(status);
    expect(response.json<{ detail: string }>().detail).toContain(words);
  });

  it('refuses a model that is not there', async () => {
    const response = await correct(3, '0', { model: 'letters' });
    expect(response.json()).toMatchObject({ status: 404, code: 'MODEL_UNKNOWN' });
    expect(response.json<{ detail: string }>().detail).toBe('expected model to be one of mnist, got letters');
  });
});

describe('GET and DELETE /corrections', () => {
  it('lists the newest first, in pages, until they are removed', async () => {
    const ids: string[] = [];
    for (const index of [10, 11, 12]) ids.unshift((await correct(index, '5')).json<Shown>().id);
    const first = (await get('/corrections?limit=2')).json<List<Shown>>();
    expect(first.data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(first.hasMore).toBe(true);
    const next = (await get(`/corrections?limit=1&after=${ids[1]}`)).json<List<Shown>>();
    expect(next.data.map(({ id }) => id)).toEqual([ids[2]]);
    expect((await get('/corrections?model=letters')).json()).toEqual({ data: [], hasMore: false, count: 0 });

    expect((await remove(`/corrections/${ids[0]}`)).statusCode).toBe(204);
    for (const response of [await remove(`/corrections/${ids[0]}`), await get(`/corrections/${ids[0]}`)])
      expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([
        404,
        'CORRECTION_NOT_FOUND',
      ]);
    expect((await get('/corrections')).json<List<Shown>>().count).toBe(first.count - 1);
    expect((await get(`/corrections?after=${ids[0]}`)).statusCode).toBe(400);
  });

  it.each(['0', 'x'.repeat(32), '..%2F..%2Fmodels'])('knows no correction by the id %s', async (id) => {
    expect((await get(`/corrections/${id}`)).statusCode).toBe(400);
    expect((await remove(`/corrections/${id}`)).statusCode).toBe(400);
  });
});

describe('GET /review', () => {
  const reviewed = async () =>
    (await get('/review?limit=100')).json<List<{ predictionId: string; input: string }>>();
  const untilReviewed = (predictionId: string) =>
    vi.waitFor(async () => {
      const found = (await reviewed()).data.find((answer) => answer.predictionId === predictionId);
      expect(found).toBeDefined();
      return found!;
    });

  it('has the answers that were kept, least sure first, each with its picture', async () => {
    const answers = [await predict(20), await predict(21, '?include=input')];
    expect(answers.map(({ input }) => input !== undefined)).toEqual([false, true]);
    const kept = await untilReviewed(answers[1]!.predictionId!);
    expect(kept.input).toBe(answers[1]!.input);
    const { data } = (await get('/review')).json<List<{ confidence: number; score: number | null }>>();
    const sureness = data.map(({ confidence, score }) => confidence * (score ?? 1));
    expect(sureness).toEqual(sureness.toSorted((a, b) => a - b));
  });

  it('lets go of an answer that was corrected by its id', async () => {
    const { predictionId } = await predict(22);
    await untilReviewed(predictionId!);
    const response = await post({ predictionId, label: null });
    expect([response.statusCode, response.json<Shown>().input]).toEqual([201, await pictureOf(22)]);
    expect((await reviewed()).data.map((answer) => answer.predictionId)).not.toContain(predictionId);
  });

  it('lets go of an answer that is right', async () => {
    const { predictionId } = await predict(23);
    await untilReviewed(predictionId!);
    expect((await remove(`/review/${predictionId}`)).statusCode).toBe(204);
    const again = await remove(`/review/${predictionId}`);
    expect([again.statusCode, again.json<{ code: string }>().code]).toEqual([404, 'PREDICTION_NOT_KEPT']);
  });

  it('lets go of an answer whose picture was corrected', async () => {
    const { predictionId } = await predict(25);
    await untilReviewed(predictionId!);
    await correct(25, '0');
    expect((await reviewed()).data.map((answer) => answer.predictionId)).not.toContain(predictionId);
  });

  it('lets go of an answer that is corrected at once', async () => {
    const { predictionId } = await predict(26);
    expect((await post({ predictionId, label: '7' })).statusCode).toBe(201);
    expect((await reviewed()).data.map((answer) => answer.predictionId)).not.toContain(predictionId);
  });

  it('has the same picture once', async () => {
    const [first, again] = [await predict(27), await predict(27)];
    expect(again.predictionId).toBe(first.predictionId);
  });

  it('has no answer that was not to be kept', async () => {
    const { count } = await reviewed();
    const answer = await predict(28, '?keep=false&include=input');
    expect(answer).not.toHaveProperty('predictionId');
    expect(answer.input).toBe(await pictureOf(28));
    expect(await predict(28, '?keep=true')).toHaveProperty('predictionId');
    expect((await reviewed()).count).toBeLessThanOrEqual(count + 1);
    expect((await post({ image: await pictureOf(28) }, '/predict?keep=0')).statusCode).toBe(400);
  });

  it('keeps no answer to a line', async () => {
    expect(await predict(24, '?read=line')).not.toHaveProperty('predictionId');
  });
});

describe('POST /jobs/train with corrections', () => {
  const train = (body: object, key?: string) =>
    parts.app.inject({
      method: 'POST',
      url: '/jobs/train',
      payload: body,
      ...(key !== undefined && { headers: { 'idempotency-key': key } }),
    });
  const frozenIn = (response: Awaited<ReturnType<typeof train>>) =>
    response.json<TrainJob>().request.corrections;

  it('freezes the corrections of now, under a name that another job can give', async () => {
    const first = frozenIn(await train({ corrections: true }));
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(frozenIn(await train({ corrections: true }))).toBe(first);
    await correct(30, '3');
    expect(frozenIn(await train({ corrections: true }))).not.toBe(first);
    expect(frozenIn(await train({ corrections: first }))).toBe(first);
    expect(frozenIn(await train({}))).toBe(false);
  });

  it('gives the same job for the same key, though there are more corrections by now', async () => {
    const first = (await train({ corrections: true }, 'one key')).json<TrainJob>();
    await correct(31, '8');
    expect((await train({ corrections: true }, 'one key')).json<TrainJob>()).toMatchObject({ id: first.id });
    expect((await train({}, 'one key')).statusCode).toBe(409);
  });

  it('gives the same job for the same key, though the corrections and their set are gone', async () => {
    await correct(32, '4');
    const first = (await train({ corrections: true }, 'another key')).json<TrainJob>();
    const { data } = (await get('/corrections?limit=100')).json<List<Shown>>();
    const sets = path.join(parts.dataDir, 'correction-sets');
    await Promise.all(data.map((correction) => remove(`/corrections/${correction.id}`)));
    await rm(sets, { recursive: true });
    expect((await train({ corrections: true })).statusCode).toBe(409);
    expect((await train({ corrections: true }, 'another key')).json<TrainJob>()).toEqual(first);
    expect(existsSync(sets)).toBe(false); // nothing was frozen
    await correct(32, '4');
  });

  it.each([
    ['a model without any', { corrections: true, model: 'letters' }, 409, 'NO_CORRECTIONS'],
    ['a set that is gone', { corrections: 'a'.repeat(64) }, 409, 'CORRECTIONS_MISSING'],
    ['what is no set', { corrections: '../x' }, 400, 'VALIDATION_FAILED'],
    ['a number', { corrections: 5 }, 400, 'VALIDATION_FAILED'],
  ])('refuses %s', async (_what, body, status, code) => {
    const response = await train(body);
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([status, code]);
  });
});

describe('without KEEP_INPUTS', () => {
  it('no answer is kept, and the review list says so', async () => {
    const plain = await startParts();
    try {
      await plain.publishAndServe();
      const payload = { image: await pictureOf(0) };
      const answer = await plain.app.inject({ method: 'POST', url: '/predict', payload });
      expect(answer.json()).not.toHaveProperty('predictionId');
      expect(answer.json()).not.toHaveProperty('pixels');
      const list = await plain.app.inject('/review');
      expect(list.json()).toEqual({ keepInputs: false, data: [], hasMore: false, count: 0 });
      const body = { predictionId: crypto.randomUUID(), label: '7' };
      const refused = await plain.app.inject({ method: 'POST', url: '/corrections', payload: body });
      expect(refused.json<{ detail: string }>().detail).toContain('KEEP_INPUTS=true');
    } finally {
      await plain.close();
    }
  });
});
