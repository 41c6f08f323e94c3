/** The registry over HTTP, on the real parts: aliases, rollback, traffic, and versions that a request names. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageAt } from '../../src/model/data/dataset.ts';
import { encodePng } from '../../src/model/image/encode-png.ts';
import { mnist } from '../model/data/mnist.ts';
import { damage, publish } from '../model/store/versions.ts';
import { type Parts, startParts } from './parts.ts';

const digit = await encodePng(imageAt(mnist.test, 0), 28, 28);

let parts: Parts;
let first: number; // versions
let second: number;
beforeAll(async () => {
  parts = await startParts();
  first = await parts.publishAndServe();
  second = await parts.publishAndServe();
});
afterAll(() => parts.close());

const get = async (path: string) => parts.app.inject(path);
const predict = async (query = '') =>
  parts.app.inject({
    method: 'POST',
    url: `/predict${query}`,
    headers: { 'content-type': 'image/png' },
    payload: digit,
  });
const put = async (path: string, payload: object, headers: Record<string, string> = {}) =>
  parts.app.inject({ method: 'PUT', url: `/registry/mnist/${path}`, payload, headers });
const champion = (version: number, headers = {}) =>
  put('aliases/champion', { version, reason: 'a test' }, headers);
const answeredBy = async (query = '') =>
  (await predict(query)).json<{ model: { version: number; alias: string | null } }>().model;

describe('an alias', () => {
  it('moves to a version, answers with it from then on, and is written down', async () => {
    const response = await put('aliases/challenger', { version: first, reason: 'to compare' });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({
      name: 'mnist',
      dataset: 'mnist',
      form: 'ink',
      aliases: {
        champion: { version: second },
        challenger: { version: first, reason: 'to compare', by: '127.0.0.1' },
      },
    });
    expect(await answeredBy('?alias=challenger')).toMatchObject({ version: first, alias: 'challenger' });
    expect(await answeredBy()).toMatchObject({ version: second, alias: 'champion', name: 'mnist' });
    const { data } = (await get('/registry/mnist/history?limit=1')).json<{ data: object[] }>();
    expect(data).toMatchObject([
      { action: 'moved', alias: 'challenger', from: null, to: first, reason: 'to compare' },
    ]);
  });

  it('shows with the versions that it points to', async () => {
    const { data } = (await get('/models?alias=challenger')).json<{ data: object[] }>();
    expect(data).toMatchObject([{ version: first, model: 'mnist', aliases: ['challenger'], served: false }]);
    expect((await get('/models?model=letters')).json()).toEqual({ data: [], hasMore: false });
    expect((await get('/models?limit=1')).json()).toMatchObject({
      data: [{ version: second, served: true }],
      hasMore: true,
    });
  });

  it('goes, but for the champion', async () => {
    await put('aliases/short', { version: first });
    const remove = (alias: string) =>
      parts.app.inject({ method: 'DELETE', url: `/registry/mnist/aliases/${alias}` });
    expect((await remove('short')).statusCode).toBe(204);
    expect((await predict('?alias=short')).json()).toMatchObject({ status: 404, code: 'ALIAS_NOT_FOUND' });
    expect((await remove('short')).json()).toMatchObject({ status: 404, code: 'ALIAS_NOT_FOUND' });
    expect((await remove('champion')).json()).toMatchObject({ status: 409, code: 'CHAMPION_NEEDED' });
  });

  it('does not move to what is not there, is damaged, or is no version', async () => {
    const damaged = await publish(parts.store);
    await damage(parts.dataDir, damaged);
    expect((await champion(999_999)).json()).toMatchObject({ status: 404, code: 'MODEL_NOT_FOUND' });
    for (let count = 0; count < 2; count++) {
      const detail = expect.stringContaining('expected SHA-256');
      expect((await champion(damaged)).json()).toMatchObject({
        status: 409,
        code: 'MODEL_NOT_LOADABLE',
        detail,
      });
    }
    for (const version of [0, -1, 1.5, 'two', null])
      expect((await put('aliases/champion', { version })).json()).toMatchObject({
        status: 400,
        code: 'VALIDATION_FAILED',
      });
    expect((await put('aliases/No', { version: first })).statusCode).toBe(400);
    expect(await answeredBy()).toMatchObject({ version: second });
  });

  it('moves only if nobody else has changed the model since, where that is asked for', async () => {
    const etag = String((await get('/registry/mnist')).headers.etag);
    expect(etag).toMatch(/^"\d+"$/);
    const one = await champion(second, { 'if-match': etag });
    expect(one.statusCode).toBe(200);
    expect(one.headers.etag).not.toBe(etag);
    for (const tag of ['nonsense', etag.slice(1, -1), `${etag} ${etag}`])
      expect((await champion(first, { 'if-match': tag })).json()).toMatchObject({
        status: 400,
        code: 'VALIDATION_FAILED',
      });
    for (const tag of [etag, `W/${String(one.headers.etag)}`, '"none"'])
      expect((await champion(first, { 'if-match': tag })).json()).toMatchObject({
        status: 412,
        code: 'REGISTRY_CHANGED',
      });
    expect((await champion(second, { 'if-match': '*' })).statusCode).toBe(200);
    const now = String((await get('/registry/mnist')).headers.etag);
    expect((await champion(second, { 'if-match': `"none", ${now}` })).statusCode).toBe(200);
  });

  it('decides nothing when the same is asked for again, unless a reason is given', async () => {
    const asked = () => put('aliases/again', { version: first });
    await put('aliases/again', { version: first, reason: 'a try' });
    const etag = String((await get('/registry/mnist')).headers.etag);
    expect((await asked()).json()).toMatchObject({ aliases: { again: { reason: 'a try' } } });
    expect((await put('traffic', { champion: 100 })).statusCode).toBe(200);
    expect((await get('/registry/mnist')).headers.etag).toBe(etag);
    await put('aliases/again', { version: first, reason: 'another' });
    expect((await get('/registry/mnist')).headers.etag).not.toBe(etag);
  });

  it('is read again only if something has changed, where that is asked for', async () => {
    for (const path of ['/registry/mnist', '/registry/mnist/aliases/champion']) {
      const etag = String((await get(path)).headers.etag);
      const read = (tag: string) =>
        parts.app.inject({ method: 'GET', url: path, headers: { 'if-none-match': tag } });
      for (const tag of [etag, `W/${etag}`, `"0", ${etag}`, '*'])
        expect(await read(tag)).toMatchObject({ statusCode: 304, body: '' });
      expect((await read('"0"')).statusCode).toBe(200);
    }
  });

  it('creates an alias only where there is none, where that is asked for', async () => {
    const create = (version: number, tag = '*') =>
      put('aliases/created', { version }, { 'if-none-match': tag });
    expect((await create(first)).statusCode).toBe(200);
    const again = await create(second);
    expect(again.json()).toMatchObject({ status: 412, code: 'ALIAS_EXISTS' });
    expect((await get('/registry/mnist/aliases/created')).json()).toMatchObject({ version: first });
    expect((await create(second, '"1"')).json()).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    expect(
      (await parts.app.inject({ method: 'DELETE', url: '/registry/mnist/aliases/created' })).statusCode,
    ).toBe(204);
    expect((await create(second)).statusCode).toBe(200);
  });

  it('moves for exactly one of two clients that have seen the same', async () => {
    const before = (await get('/registry/mnist/history?limit=1000')).json<{ data: object[] }>().data.length;
    for (let count = 0; count < 50; count++) {
      const etag = String((await get('/registry/mnist')).headers.etag);
      const both = await Promise.all(
        [first, second].map((version) => put('aliases/race', { version }, { 'if-match': etag })),
      );
      expect(both.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([200, 412]);
    }
    const { data } = (await get('/registry/mnist/history?limit=1000')).json<{ data: { number: number }[] }>();
    expect(data).toHaveLength(before + 50);
    expect(new Set(data.map(({ number }) => number)).size).toBe(before + 50);
  });
});

describe('rollback', () => {
  it('makes the champion before this one champion again, without a failed answer', async () => {
    await champion(first);
    const before = (await champion(second)).json<{ champions: number[] }>().champions;
    expect(before.slice(0, 2)).toEqual([second, first]);
    const end = new AbortController();
    const answers: number[] = [];
    const stream = (async () => {
      while (!end.signal.aborted) answers.push((await predict()).statusCode);
    })();
    const response = await parts.app.inject({
      method: 'POST',
      url: '/registry/mnist/rollback',
      payload: { reason: 'worse' },
    });
    expect(response.json()).toMatchObject({ aliases: { champion: { version: first, reason: 'worse' } } });
    expect(response.json<{ champions: number[] }>().champions).toEqual(before.slice(1));
    expect(await answeredBy()).toMatchObject({ version: first });
    end.abort();
    await stream;
    expect(new Set(answers)).toEqual(new Set([200]));
    await champion(second);
  });

  it('changes nothing where somebody has changed the model since, whatever there is to go back to', async () => {
    const response = await parts.app.inject({
      method: 'POST',
      url: '/registry/mnist/rollback',
      headers: { 'if-match': '"0"' },
    });
    expect(response.json()).toMatchObject({ status: 412, code: 'REGISTRY_CHANGED' });
  });

  it('says so where there is nothing to go back to', async () => {
    const response = await parts.app.inject({ method: 'POST', url: '/registry/nope/rollback' });
    expect(response.json()).toMatchObject({ status: 404, code: 'MODEL_UNKNOWN' });
  });
});

describe('traffic', () => {
  it('is shared by per cent, and each answer names its version and alias', async () => {
    await put('aliases/challenger', { version: first });
    expect((await put('traffic', { champion: 50, challenger: 50 })).statusCode).toBe(200);
    const aliases = [];
    for (let count = 0; count < 200; count++) aliases.push((await answeredBy()).alias);
    const share = aliases.filter((alias) => alias === 'challenger').length / 200;
    expect(share).toBeGreaterThan(0.3); // 6 standard deviations
    expect(share).toBeLessThan(0.7);
    const removed = await parts.app.inject({ method: 'DELETE', url: '/registry/mnist/aliases/challenger' });
    expect(removed.json()).toMatchObject({ status: 409, code: 'ALIAS_HAS_TRAFFIC' });
    expect((await put('traffic', { champion: 100 })).json()).toMatchObject({ traffic: null });
    const { data } = (await get('/registry/mnist/history?limit=3')).json<{ data: object[] }>();
    expect(data).toMatchObject([
      { action: 'traffic', traffic: null },
      { action: 'traffic', traffic: { champion: 50, challenger: 50 } },
      { action: 'moved', traffic: null },
    ]);
    expect(data.every((decision) => !('state' in decision))).toBe(true);
    expect(await answeredBy()).toMatchObject({ version: second });
  });

  it.each([
    [{ champion: 50 }, 400, 'VALIDATION_FAILED'],
    [{ champion: 90, challenger: 20 }, 400, 'VALIDATION_FAILED'],
    [{ champion: 120, challenger: -20 }, 400, 'VALIDATION_FAILED'],
    [{}, 400, 'VALIDATION_FAILED'],
    [{ champion: 50, nobody: 50 }, 404, 'ALIAS_NOT_FOUND'],
  ])('refuses %j', async (shares, status, code) => {
    expect((await put('traffic', shares)).json()).toMatchObject({ status, code });
  });
});

describe('a request that names a version', () => {
  it('is answered by it', async () => {
    for (const version of [first, second, first])
      expect(await answeredBy(`?version=${version}`)).toMatchObject({ version, alias: null });
  });

  it('is refused where the version is not there, is damaged, or is of another model', async () => {
    const damaged = await publish(parts.store);
    await damage(parts.dataDir, damaged);
    expect((await predict('?version=999999')).json()).toMatchObject({ status: 404, code: 'MODEL_NOT_FOUND' });
    expect((await predict(`?version=${damaged}`)).json()).toMatchObject({
      status: 409,
      code: 'MODEL_NOT_LOADABLE',
    });
    expect((await predict('?model=letters')).json()).toMatchObject({ status: 404, code: 'MODEL_UNKNOWN' });
    expect((await predict(`?model=letters&version=${first}`)).json()).toMatchObject({ status: 404 });
    for (const query of [
      '?version=0',
      '?version=x',
      '?alias=A',
      '?top=0',
      '?top=1001',
      '?alias=champion&version=1',
    ])
      expect((await predict(query)).json(), query).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    expect(await answeredBy()).toMatchObject({ version: second });
  });

  it('waits for a champion that is new enough', async () => {
    expect(await answeredBy(`?minVersion=${first}`)).toMatchObject({ version: second });
    const wanted = await publish(parts.store);
    const answer = answeredBy(`?minVersion=${wanted}`);
    await champion(wanted);
    expect(await answer).toMatchObject({ version: wanted });
  });

  it('is told that no such champion came', async () => {
    expect((await predict('?minVersion=888888')).json()).toMatchObject({
      status: 409,
      code: 'MIN_VERSION_NOT_SERVED',
    });
  });

  it('gets the likeliest digits, the likeliest first', async () => {
    const { top, digit: likeliest } = (await predict('?top=3')).json<{
      top: { digit: number; probability: number }[];
      digit: number;
    }>();
    expect(top).toHaveLength(3);
    expect(top[0]!.digit).toBe(likeliest);
    expect(top.map(({ probability }) => probability)).toEqual(
      top.map(({ probability }) => probability).toSorted((a, b) => b - a),
    );
  });
});
