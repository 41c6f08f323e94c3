/** Bodies of any kind, as clients send them over a connection: none at all, in a content coding, of a type that nobody takes. */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageAt } from '../../../src/model/data/dataset.ts';
import { encodePng } from '../../../src/model/image/encode-png.ts';
import { mnist } from '../../model/data/mnist.ts';
import { form } from '../form.ts';
import { type Parts, startParts } from '../parts.ts';

const MiB = 1024 * 1024;
const digit = await encodePng(imageAt(mnist.test, 0), 28, 28);

let parts: Parts;
let port: number;
beforeAll(async () => {
  parts = await startParts();
  await parts.publishAndServe();
  await parts.app.listen({ host: '127.0.0.1', port: 0 });
  port = (parts.app.server.address() as AddressInfo).port;
});
afterAll(() => parts.close());

type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: {
    readonly id: string;
    readonly code: string;
    readonly detail: string;
    readonly status: unknown;
    readonly digit?: number;
    readonly predictions?: readonly unknown[];
    readonly request: { readonly recipe: string };
  };
};

/** Exactly these headers; without a Content-Length, the body goes in chunks. */
function post(path: string, headers: Record<string, string>, body: Buffer | string = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sending = request({ port, path, method: 'POST', headers }, (response) => {
      const { statusCode: status, headers: came } = response;
      json(response).then(
        (value) => resolve({ status: status!, headers: came, body: value as never }),
        reject,
      );
    });
    sending.on('error', reject);
    if (headers['content-length'] === undefined) sending.flushHeaders();
    sending.end(body);
  });
}

const queueJob = async () => (await post('/jobs/train', { 'content-length': '0' })).body.id;

describe('a body that is empty', () => {
  const types = [
    'application/json',
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/x-www-form-urlencoded',
    'text/plain;charset=UTF-8',
    'application/octet-stream',
    'multipart/form-data; boundary=x',
    'application/merge-patch+json',
    '',
    'json',
  ];
  const sent = types.flatMap((type) =>
    [
      ['of length 0', { 'content-length': '0' }, ''],
      ['in chunks', {}, ''],
      ['of blanks', {}, ' \r\n\t'],
      ['of a byte order mark', {}, '\ufeff'],
    ].map(
      ([how, headers, body]) =>
        [type, how, headers, body] as [string, string, Record<string, string>, string],
    ),
  );

  it.each(sent)('sent as "%s", %s, is as none', async (type, _how, headers, body) => {
    const all = { 'content-type': type, ...headers };
    const job = await post('/jobs/train', all, body);
    expect(job).toMatchObject({ status: 202, body: { request: { recipe: 'default' } } });
    const cancelled = await post(`/jobs/${job.body.id}/cancel`, all, body);
    expect(cancelled).toMatchObject({ status: 202, body: { status: 'cancelled' } });
  });

  it.each(types)('sent as "%s" is no picture', async (type) => {
    for (const headers of [{ 'content-length': '0' }, {}]) {
      const { status, body } = await post('/predict', { 'content-type': type, ...headers });
      expect([status, body.code]).toEqual(
        type.startsWith('multipart') ? [400, 'FORM_NOT_READABLE'] : [422, 'IMAGE_EMPTY'],
      );
    }
  });

  it('in a content coding is as none', async () => {
    for (const body of ['', gzipSync('')]) {
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
      const id = await queueJob();
      expect(await post(`/jobs/${id}/cancel`, headers, body)).toMatchObject({ status: 202 });
      expect(await post('/jobs/train', headers, body)).toMatchObject({ status: 202 });
    }
  });

  it('on a path that is not there is a 404, whatever it is sent as, and so is one that is not', async () => {
    for (const type of ['application/json', 'text/plain', '']) {
      for (const body of ['', '{', 'x']) {
        expect(await post('/nope', { 'content-type': type }, body)).toMatchObject({ status: 404 });
      }
    }
  });
});

describe('a body of JSON', () => {
  it.each(['text/plain', 'application/x-www-form-urlencoded', 'json', ''])(
    'sent as "%s" is told which type to set',
    async (type) => {
      const { status, body } = await post('/jobs/train', { 'content-type': type }, '{"recipe": "fast"}');
      expect([status, body.code]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED']);
      expect(body.detail).toMatch(/JSON with Content-Type: application\/json, got .+; set that header/);
    },
  );

  it.each([
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'Application/JSON ; profile=x',
  ])('is taken as "%s", with or without a byte order mark', async (type) => {
    for (const mark of ['', '\ufeff']) {
      const answer = await post('/jobs/train', { 'content-type': type }, `${mark}{"recipe": "fast"}\n`);
      expect(answer).toMatchObject({ status: 202, body: { request: { recipe: 'fast' } } });
    }
  });

  it('that is wrong behind a byte order mark is told what is wrong', async () => {
    const answer = await post(
      '/jobs/train',
      { 'content-type': 'application/json' },
      '\ufeff{"__proto__": {}}',
    );
    expect(answer.body).toMatchObject({
      code: 'JSON_INVALID',
      detail: expect.stringContaining('"__proto__"'),
    });
  });

  it.each(['null', '[]', '""', '0'])('that is %s is no empty one', async (body) => {
    const answer = await post('/jobs/train', { 'content-type': 'application/json' }, body);
    expect(answer.body).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
  });

  it.each(['application/merge-patch+json', 'application/vnd.api+json', 'text/json', 'application/jsonp'])(
    'is not taken as %s',
    async (type) => {
      for (const path of ['/jobs/train', `/jobs/${await queueJob()}/cancel`]) {
        const answer = await post(path, { 'content-type': type }, '{}');
        expect(answer.body).toMatchObject({ status: 415, code: 'MEDIA_TYPE_UNSUPPORTED' });
        expect(answer.body.detail).toContain(type);
        expect(answer.headers).not.toHaveProperty('accept-encoding'); // RFC 7694, section 3
      }
    },
  );
});

const encoders = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['GZip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['identity', (body: Buffer) => body],
  ['identity, gzip', gzipSync],
  ['gzip,, ', gzipSync],
  ['', (body: Buffer) => body],
] as const;

describe('a content coding', () => {
  const bodies = (): [type: string, body: Buffer][] => {
    const pictures = form([
      { body: digit },
      { name: 'other', body: digit },
      { name: 'note', text: 'a seven' },
    ]);
    return [
      ['image/png', digit],
      ['application/octet-stream', digit],
      ['application/json', Buffer.from(JSON.stringify({ image: digit.toString('base64') }))],
      [pictures.type, pictures.payload],
    ];
  };

  it.each(encoders)('"%s" is decoded: pictures, JSON and forms', async (coding, encode) => {
    for (const [type, body] of bodies()) {
      const headers = { 'content-type': type, 'content-encoding': coding };
      const encoded = encode(body);
      for (const length of [{ 'content-length': String(encoded.length) }, {}]) {
        const answer = await post('/predict', { ...headers, ...length }, encoded);
        expect(answer.status, `${type}: ${answer.body.detail}`).toBe(200);
        expect(answer.body.predictions?.length ?? 1).toBe(type.startsWith('multipart') ? 2 : 1);
      }
    }
  });

  it.each(encoders)('"%s" is decoded for a job', async (coding, encode) => {
    const headers = { 'content-type': 'application/json', 'content-encoding': coding };
    const answer = await post('/jobs/train', headers, encode(Buffer.from('{"recipe": "fast"}')));
    expect(answer).toMatchObject({ status: 202, body: { request: { recipe: 'fast' } } });
  });

  it.each([
    'foo',
    'zstd',
    'compress',
    'gzip, br',
    'br, gzip',
    '__proto__',
    'constructor',
    'gzip;q=1',
    'gzip br',
  ])('"%s" is a 415 that lists those that are taken', async (coding) => {
    for (const [path, type] of [
      ['/predict', 'image/png'],
      ['/predict', 'multipart/form-data; boundary=x'],
      ['/predict', 'application/json'],
      ['/jobs/train', 'application/json'],
    ] as const) {
      const answer = await post(path, { 'content-type': type, 'content-encoding': coding }, digit);
      expect(answer.body).toMatchObject({ status: 415, code: 'CONTENT_ENCODING_UNSUPPORTED' });
      expect(answer.body.detail).toContain(`one content coding`);
      expect(answer.body.detail).toContain(coding);
      expect(answer.headers['accept-encoding']).toBe('gzip, deflate, br');
    }
  });

  const damaged = encoders.slice(0, 6).flatMap(([coding, encode]) => {
    const encoded = encode(randomBytes(1000));
    return [
      [coding, 'cut off', encoded.subarray(0, -5)],
      [coding, 'a byte of it', encoded.subarray(0, 1)],
    ] as const;
  });
  it.each([
    ...damaged,
    ['gzip', 'text', Buffer.from('{"recipe": "fast"}')],
    ['deflate', 'text', Buffer.from('hello, this is not compressed')],
    ['br', 'a picture', digit],
    ['gzip', 'brotli', brotliCompressSync(digit)],
  ] as const)('%s that is damaged is a 400: %s', async (coding, _what, encoded) => {
    for (const [path, type] of [
      ['/predict', 'image/png'],
      ['/predict', 'multipart/form-data; boundary=x'],
      ['/jobs/train', 'application/json'],
    ] as const) {
      const answer = await post(path, { 'content-type': type, 'content-encoding': coding }, encoded);
      expect(answer.body).toMatchObject({ status: 400, code: 'CONTENT_ENCODING_INVALID' });
      expect(answer.body.detail).toContain(`in ${coding.toLowerCase()}`);
    }
  });
});

describe('a body that inflates to more than its route takes', () => {
  const zeros = Buffer.alloc(64 * MiB);
  const gzipped = gzipSync(zeros);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 5 }; // by default it takes a second, for as many bytes
  const bombs = [
    ['gzip', gzipped],
    ['x-gzip', gzipped],
    ['GZip', gzipped],
    ['deflate', deflateSync(zeros)],
    ['deflate', deflateRawSync(zeros)],
    ['br', brotliCompressSync(zeros, { params })],
  ] as const;
  const targets = [
    ['/predict', 'image/png'],
    ['/predict', 'application/json'],
    ['/predict', 'text/plain'],
    ['/predict', 'multipart/form-data; boundary=x'],
    ['/jobs/train', 'application/json'],
  ] as const;

  it.each(bombs)('is a 413, in %s', async (coding, bomb) => {
    expect(bomb.length).toBeLessThan(MiB);
    for (const [path, type] of targets) {
      const headers = { 'content-type': type, 'content-encoding': coding };
      expect((await post(path, headers, bomb)).body).toMatchObject({ status: 413 });
    }
  });

  it('is inflated no further', async () => {
    const bomb = Buffer.concat([gzipped, gzipped, gzipped, gzipped]); // 256 MiB
    const whole = await cpuTime(async () => gunzipSync(bomb));
    const headers = { 'content-type': 'image/png', 'content-encoding': 'gzip' };
    const refused = await cpuTime(async () => {
      for (let count = 0; count < 10; count++)
        expect(await post('/predict', headers, bomb)).toMatchObject({ status: 413 });
    });
    expect(refused).toBeLessThan(3 * whole); // of 10, were they inflated
  });

  it('has to be within the limit as it is sent, too', async () => {
    const noise = gzipSync(randomBytes(70 * 1024), { level: 0 });
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect((await post('/jobs/train', headers, noise)).body).toMatchObject({
      status: 413,
      code: 'BODY_TOO_LARGE',
    });
  });
});

/** Measures the CPU time of this process with its threads, in microseconds. Unlike the time on the clock, it doesn't grow with the load. */
async function cpuTime(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
