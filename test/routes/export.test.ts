/** GET /models/:version/export; test/model/export reads the files with the programs that they are for. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { openStore } from '../../src/model/store/store.ts';
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
  expect(headers['etag']).toBe(`"${createHash('sha256').update(rawPayload).digest('hex')}"`);

  const known = await app.inject({ url, headers: { 'if-none-match': `"a", W/${headers['etag']}` } });
  expect([known.statusCode, known.body]).toEqual([304, '']);
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
