/** GET /models/:version/export; test/model/export reads the files with the programs that they are for. */
import { expect, it } from 'vitest';
import { mostExports } from '../../src/model/export/exporter.ts';
import { type ModelStore, openStore } from '../../src/model/store/store.ts';
import { until } from '../jobs/until.ts';
import { damage, publish } from '../model/store/versions.ts';
import { temporaryDirectory } from '../temporary.ts';
import { buildQuietApp } from './quiet-app.ts';

async function open() {
  const dataDir = await temporaryDirectory();
  const store = openStore(dataDir);
  await publish(store, 0.1, 'letters');
  return { app: await buildQuietApp({ store }), store, dataDir };
}

it.each([
  ['onnx', 'application/octet-stream', 'letters-1.onnx', /^.{0,40}Trainyard/s],
  ['safetensors', 'application/octet-stream', 'letters-1.safetensors', /^.{8}\{"__metadata__"/s],
  ['tfjs', 'application/zip', 'letters-1.zip', /^PK.{28}model\.json/s],
  ['card', 'text/markdown; charset=utf-8', 'letters-1.md', /^# letters, version 1\n/],
])('answers %s as a file, and again only when it has changed', async (format, type, name, begin) => {
  const { app } = await open();
  const url = `/models/1/export?format=${format}`;
  const { statusCode, headers, rawPayload } = await app.inject(url);
  expect(statusCode).toBe(200);
  expect(headers['content-type']).toBe(type);
  expect(headers['content-disposition']).toBe(`attachment; filename="${name}"`);
  expect(rawPayload.toString('latin1')).toMatch(begin);
  expect(headers['etag']).toMatch(/^"[0-9a-f]{64}"$/);

  for (const tags of [`"a", W/${headers['etag']}`, '*']) {
    const known = await app.inject({ url, headers: { 'if-none-match': tags } });
    expect([known.statusCode, known.body]).toEqual([304, '']);
  }
  const other = await app.inject({ url, headers: { 'if-none-match': '"a"' } });
  expect(other.rawPayload.equals(rawPayload)).toBe(true);
});

it.each([
  ['/models/2/export?format=onnx', 404, 'MODEL_NOT_FOUND', 'expected a version in GET /models, got 2'],
  ['/models/0/export?format=onnx', 400, 'VALIDATION_FAILED', 'version'],
  ['/models/1/export', 400, 'VALIDATION_FAILED', '"safetensors"'],
  ['/models/1/export?format=pickle', 400, 'VALIDATION_FAILED', 'got "pickle"'],
  ['/models/1/export?format=onnx&opset=9', 400, 'VALIDATION_FAILED', 'opset'],
])('refuses %s', async (url, status, code, detail) => {
  const { app } = await open();
  const answer = await app.inject(url);
  expect(answer.statusCode).toBe(status);
  expect(answer.json()).toMatchObject({ code, detail: expect.stringContaining(detail) });
});

it('gives no file of a version that is damaged or in quarantine', async () => {
  const { app, store, dataDir } = await open();
  await damage(dataDir, 1);
  const damaged = await app.inject('/models/1/export?format=onnx');
  expect([damaged.statusCode, damaged.json().code]).toEqual([404, 'MODEL_DAMAGED']);
  await store.quarantine(1, 'a test');
  const quarantined = await app.inject('/models/1/export?format=onnx');
  expect([quarantined.statusCode, quarantined.json().code]).toEqual([404, 'MODEL_QUARANTINED']);
});

/** A store that counts its loads, which end when `open` is called. */
async function heldStore() {
  const dataDir = await temporaryDirectory();
  const store = openStore(dataDir);
  await publish(store);
  const loads = { count: 0, open: () => {} };
  const opened = new Promise<void>((resolve) => {
    loads.open = resolve;
  });
  const load = async (version: number) => {
    loads.count += 1;
    await opened;
    return store.load(version);
  };
  const held: ModelStore = Object.assign(Object.create(store), { load });
  return { store: held, loads };
}

it('has another tag for another format, and loads nothing for a client that has the file', async () => {
  const { store, loads } = await heldStore();
  loads.open();
  const app = await buildQuietApp({ store });
  const tags = await Promise.all(
    ['onnx', 'tfjs'].map(
      async (format) => (await app.inject(`/models/1/export?format=${format}`)).headers['etag'],
    ),
  );
  expect(new Set(tags).size).toBe(2);
  expect(loads.count).toBe(2);
  const url = '/models/1/export?format=onnx';
  expect((await app.inject({ url, headers: { 'if-none-match': tags[0] } })).statusCode).toBe(304);
  expect((await app.inject({ url, headers: { 'if-none-match': tags[1] } })).statusCode).toBe(200);
  expect(loads.count).toBe(3);
});

it('asks clients to come back while many files are under way, and writes none for those that left', async () => {
  const { store, loads } = await heldStore();
  const app = await buildQuietApp({ store });
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  const url = `${address}/models/1/export?format=card`;
  const first = fetch(url);
  await until(
    'a load',
    () => loads.count,
    (count) => count === 1,
  );
  const leaving = new AbortController();
  const refusals: Response[] = [];
  const others = Array.from({ length: 2 * mostExports }, async () => {
    refusals.push(await fetch(url, { signal: leaving.signal }));
  });
  const settled = Promise.allSettled(others);
  await until(
    'refusals',
    () => refusals.length,
    (count) => count === mostExports + 1,
  );
  for (const { status, headers } of refusals)
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
  leaving.abort();
  await settled;
  loads.open();
  expect((await first).status).toBe(200);
  const served = await until(
    'room for another',
    () => app.inject('/models/1/export?format=card'),
    ({ statusCode }) => statusCode === 200,
  );
  expect(served.statusCode).toBe(200);
  expect(loads.count).toBeLessThan(mostExports);
  await app.close();
});
