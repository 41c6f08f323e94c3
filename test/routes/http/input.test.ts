/** Odd input: none reaches the file system unchecked, none is larger than its route takes, no answer shows code. */
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import * as fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ModelStore, openStore } from '../../../src/model/store/store.ts';
import { isLong } from '../../long.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { buildQuietApp } from '../quiet-app.ts';

const canary = 'the canary sings';
const MiB = 1024 * 1024;
const percentEncoded = (byte: number) => `%${byte.toString(16).padStart(2, '0')}`;

describe('parts of a path', () => {
  let app: FastifyInstance;
  let port: number;
  const agent = new Agent({ keepAlive: true });
  const asked: number[] = []; // versions that a route has asked the store for

  beforeAll(async () => {
    const dataDir = join(await temporaryDirectory(), 'data');
    await putCanaries(dataDir);
    const store = openStore(dataDir);
    const watched: ModelStore = {
      ...store,
      manifest: async (version) => {
        asked.push(version);
        return store.manifest(version);
      },
    };
    app = await buildQuietApp({ store: watched });
    port = Number(new URL(await app.listen({ port: 0 })).port);
  });

  afterAll(async () => {
    agent.destroy();
    await app.close();
  });

  /** Manifests that a model's path would lead to if it left its place: each shows in an answer or fails as damaged. */
  async function putCanaries(dataDir: string): Promise<void> {
    for (const folder of [
      '..',
      '.',
      'models',
      'models/latest',
      'models/.staging-1',
      'models/-1',
      'models/0',
    ]) {
      await mkdir(join(dataDir, folder), { recursive: true });
      await writeFile(join(dataDir, folder, 'manifest.json'), JSON.stringify({ canary }));
    }
  }

  const pieces = [
    '.. . / \\ %2e %2E%2e %2f %5c %00 %0a %c0%ae %252e%252e%252f ..; ~ % %zz ? # : file: C:',
    'models latest .staging-1 manifest.json -1 0 +1 %201 1.5 1e309 1e21 9007199254740992 99999999999999999999',
    'NaN Infinity null [] true __proto__ constructor ٣ %F0%9F%98%80',
  ].flatMap((line) => line.split(' '));
  const step = fc.constantFrom(' ', ...pieces);
  const odd = fc.oneof(
    fc.array(step, { minLength: 1, maxLength: 6 }).map((steps) => steps.join('')),
    fc.array(step, { minLength: 2, maxLength: 6 }).map((steps) => steps.join('/')),
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Array.from(bytes, percentEncoded).join('')),
    fc.stringMatching(/^[0-9]{1,120}$/),
    fc.double().map(String),
  );

  /** As it is: inject() would resolve `..` before the application sees it. */
  async function ask(path: string) {
    const visible = path.replaceAll(/[^\x21-\x7e]/gu, encodeURIComponent); // no client sends others
    const sent = request({ port, path: visible, agent }).end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: answer.statusCode!, headers: answer.headers, body: await text(answer) };
  }

  /** Each place of a path that a value goes into. */
  const places = [
    (value: string) => `/models/${value}`,
    (value: string) => `/jobs/${value}`,
    (value: string) => `/datasets/${value}/samples.png`,
    (value: string) => `/datasets/${value}/test/0.png`,
    (value: string) => `/datasets/mnist/test/${value}.png`,
  ];

  it('never lead to another file, and are answered by a problem of 4xx', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), odd, async (place, value) => {
        const url = place(value);
        const response = await ask(url);
        expect(response.body).not.toContain(canary);
        if (response.status === 200 && isReal(url, response.headers)) return;
        expect(response.status, `${url}: ${response.body}`).toBeGreaterThanOrEqual(400);
        expect(response.status, `${url}: ${response.body}`).toBeLessThan(500);
        expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
        expect(JSON.parse(response.body)).toMatchObject({ status: response.status, type: 'about:blank' });
      }),
      { numRuns: isLong ? 20_000 : 500 },
    );
    expect(asked.length).toBeGreaterThan(0);
    for (const version of asked)
      expect(Number.isSafeInteger(version) && version > 0, `${version}`).toBe(true);
  });

  /** What may be answered by 200: the list that is left where the value is a query, or one of the 10,000 images. */
  function isReal(url: string, headers: Record<string, unknown>): boolean {
    const path = url.split(/[?#]/)[0]!;
    const isImage = headers['content-type'] === 'image/png' && /^[0-9]$/.test(String(headers['x-label']));
    return isImage
      ? path.startsWith('/datasets/mnist/test/')
      : ['/models/', '/jobs/', '/datasets/', '/models', '/jobs', '/datasets'].includes(path);
  }

  it.each([
    ['/models/%', 400, 'PATH_INVALID'],
    ['/models/%c0%ae', 400, 'PATH_INVALID'],
    [`/models/${'1'.repeat(200)}`, 414, 'URL_TOO_LONG'],
    ['/models/1%00', 400, 'VALIDATION_FAILED'],
    ['/models/../../etc/passwd', 404, 'NOT_FOUND'],
    ['/models/9007199254740992', 400, 'VALIDATION_FAILED'],
    ['/datasets/..%2fmodels/samples.png', 400, 'VALIDATION_FAILED'],
    ['/datasets/__proto__/test/0.png', 400, 'VALIDATION_FAILED'],
    ['/datasets/mnist/test/-1.png', 400, 'VALIDATION_FAILED'],
    ['/jobs/..%2f..%2f', 404, 'JOB_NOT_FOUND'],
  ])('%s gives %i', async (url, status, code) => {
    const response = await ask(url);
    expect(JSON.parse(response.body)).toMatchObject({ status, code });
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  });
});

describe('bodies', () => {
  const json = (bytes: number) => JSON.stringify({ image: 'A'.repeat(bytes) });
  const form = (files: number, bytes: number, field = 'image') => {
    const head = `--x\r\ncontent-disposition: form-data; name="${field}"; filename="a.png"\r\n\r\n`;
    const file = `${head}${'A'.repeat(bytes)}\r\n`;
    return `${file.repeat(files)}--x--\r\n`;
  };
  const types = { json: 'application/json', png: 'image/png', form: 'multipart/form-data; boundary=x' };

  it.each([
    ['/jobs/train', 'json', json(65 * 1024), 'BODY_TOO_LARGE'],
    ['/jobs/x/cancel', 'json', json(65 * 1024), 'BODY_TOO_LARGE'],
    ['/predict', 'json', json(21 * MiB), 'BODY_TOO_LARGE'],
    ['/predict', 'json', json(20.2 * MiB), 'IMAGE_TOO_LARGE'],
    ['/predict', 'png', 'A'.repeat(15 * MiB + 1), 'IMAGE_TOO_LARGE'],
    ['/predict', 'png', 'A'.repeat(21 * MiB), 'BODY_TOO_LARGE'],
    ['/predict', 'form', form(1, 15 * MiB + 1), 'IMAGE_TOO_LARGE'],
    ['/predict', 'form', form(17, 10), 'TOO_MANY_IMAGES'],
    ['/predict', 'form', form(4, 4.5 * MiB), 'IMAGE_TOO_LARGE'],
  ] as const)('%s refuses too much %s', async (url, type, payload, code) => {
    const app = await buildQuietApp();
    const headers = { 'content-type': types[type] };
    const response = await app.inject({ method: 'POST', url, headers, payload });
    expect(response.json()).toMatchObject({ status: 413, code });
  });

  it.each(['/jobs/train', '/jobs/x/cancel'])('%s takes no form and no picture, and no text', async (url) => {
    const app = await buildQuietApp();
    for (const type of [types.form, types.png, 'text/plain', 'application/x-www-form-urlencoded']) {
      const headers = { 'content-type': type };
      const response = await app.inject({ method: 'POST', url, headers, payload: form(1, 10) });
      expect(response.json(), type).toMatchObject({ status: 415, code: 'MEDIA_TYPE_UNSUPPORTED' });
    }
  });

  it('are not read before the key', async () => {
    const app = await buildQuietApp({ access: { apiKeys: ['a-key-of-some-length'] } });
    const headers = { 'content-type': types.png };
    const payload = 'A'.repeat(21 * MiB);
    const response = await app.inject({ method: 'POST', url: '/predict', headers, payload });
    expect(response.statusCode).toBe(401);
  });
});

describe('a fault in a route', () => {
  const thrown = Object.assign(new Error(`in /srv/trainyard/secret.ts: ${canary}`), { path: '/srv/secret' });

  it.each([
    ['an error', thrown],
    ['an error with a cause', new Error(canary, { cause: thrown })],
    ['an error with a status of its own', Object.assign(new Error(canary), { statusCode: 503 })],
    ['a type error', new TypeError(canary)],
    ['a text', canary],
    ['nothing', undefined],
  ])('tells the client where to look and nothing more: %s', async (_what, value) => {
    const app = await buildQuietApp({
      addRoutes: (instance) =>
        instance.get('/throws', async () => {
          throw value;
        }),
    });
    const response = await app.inject({ url: '/throws' });
    expect(response.json()).toMatchObject({ status: 500, code: 'INTERNAL' });
    expect(response.json().detail).toMatch(/its log has the cause under request id /);
    expect(response.body).not.toMatch(/canary|secret|\.ts|node_modules|\bat /);
  });
});
