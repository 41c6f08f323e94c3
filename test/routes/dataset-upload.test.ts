/** How archives arrive: slowly, after a question, while the server closes. No worker takes them here. */
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { removeUpload, uploadPaths } from '../../src/model/data/import/uploads.ts';
import { until } from '../jobs/until.ts';
import { digitPng } from '../model/data/import/importing.ts';
import { type Parts, startParts } from './parts.ts';

let parts: Parts;
let address: string;
const datasetLimits = { archiveBytes: 400e6, allBytes: 1e9 };
beforeAll(async () => {
  parts = await startParts({ predicts: false, datasetLimits });
  address = await parts.app.listen({ host: '127.0.0.1', port: 0 });
  return () => parts.close();
});

function post(path: string, bytes: number, headers: Record<string, string> = {}): ClientRequest {
  const sent = request(`${address}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/zip', 'content-length': `${bytes}`, ...headers },
  });
  sent.on('error', () => {}); // the answer is what counts
  return sent;
}

async function answerTo(sent: ClientRequest): Promise<{ status: number; body: Record<string, unknown> }> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode!, body: (await json(response)) as Record<string, unknown> };
}

type FormFile = readonly [field: string, bytes: Buffer, fileName: string];

/** A form as browsers send it, in a field without a file too. */
function formOf(...files: readonly FormFile[]): Buffer {
  const pieces: (string | Buffer)[] = files.flatMap(([field, bytes, name]) => [
    `--edge\r\nContent-Disposition: form-data; name="${field}"; filename="${name}"\r\n\r\n`,
    bytes,
    '\r\n',
  ]);
  return Buffer.concat([...pieces, '--edge--\r\n'].map((piece) => Buffer.from(piece as string)));
}

function answerToForm(name: string, form: Buffer) {
  const type = 'multipart/form-data; boundary=edge';
  const sent = post(`/datasets?name=${name}`, form.length, { 'content-type': type });
  sent.end(form);
  return answerTo(sent);
}

async function uploads(): Promise<string[]> {
  const names = await readdir(join(parts.dataDir, 'datasets', '.uploads')).catch(() => []);
  return names.filter((name) => !name.startsWith('.'));
}

const remove = (name: string) => parts.app.inject({ method: 'DELETE', url: `/datasets/${name}` });

/** Bytes that begin as a zip does. */
const archiveOf = (bytes: number) => Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(bytes - 4, 7)]);

describe('an upload', () => {
  const { headersTimeout, requestTimeout } = { headersTimeout: 10_000, requestTimeout: 30_000 };
  afterEach(() => Object.assign(parts.app.server, { headersTimeout, requestTimeout }));

  it('may take longer than any other request, as long as bytes arrive', async () => {
    Object.assign(parts.app.server, { headersTimeout: 100, requestTimeout: 100 });
    const slow = post('/datasets?name=slow', 1000);
    slow.write(Buffer.alloc(1));
    await until('the upload', uploads, (names) => names.length === 1);
    const other = post('/jobs/train', 1000, { 'content-type': 'application/json' });
    other.write('{');
    expect((await answerTo(other)).status).toBe(408); // so the slow one is past that time too
    slow.end(Buffer.alloc(999));
    expect(await answerTo(slow)).toMatchObject({ status: 202, body: { name: 'slow', bytes: 1000 } });
    expect((await remove('slow')).statusCode).toBe(204);
  });

  it('begins when the server says so, where the client asks first', async () => {
    const sent = post('/datasets?name=asked', 10, { expect: '100-continue' });
    sent.flushHeaders();
    await once(sent, 'continue');
    sent.end(archiveOf(10));
    expect((await answerTo(sent)).status).toBe(202);
    expect((await remove('asked')).statusCode).toBe(204);
  });

  it('that is too large is refused by its length, before it is sent', async () => {
    const sent = post('/datasets?name=large', datasetLimits.archiveBytes + 1);
    sent.flushHeaders();
    expect(await answerTo(sent)).toMatchObject({ status: 413, body: { code: 'ARCHIVE_TOO_LARGE' } });
    sent.destroy();
    expect(await uploads()).toEqual([]);
  });

  it('is refused at once where it does not fit beside those that arrive at the same time', async () => {
    const open = ['first', 'second'].map((name) => post(`/datasets?name=${name}`, 400e6));
    for (const sent of open) sent.write(Buffer.alloc(1));
    await until('the uploads', uploads, (names) => names.length === 2);
    const third = post('/datasets?name=third', 201e6);
    third.flushHeaders();
    expect(await answerTo(third)).toMatchObject({ status: 507, body: { code: 'DATASETS_FULL' } });
    for (const sent of [...open, third]) sent.destroy();
    await until('no upload', uploads, (names) => names.length === 0);
    const fourth = post('/datasets?name=fourth', 201e6);
    fourth.write(Buffer.alloc(1));
    await until('an upload', uploads, (names) => names.length === 1);
    fourth.destroy();
    await until('no upload', uploads, (names) => names.length === 0);
  });

  it('whose archive was swept away is to be sent again', async () => {
    const sent = post('/datasets?name=swept', 1000);
    sent.write(Buffer.alloc(1));
    const [id] = await until('the upload', uploads, (names) => names.length === 1);
    await removeUpload(parts.dataDir, id!);
    sent.end(Buffer.alloc(999));
    expect(await answerTo(sent)).toMatchObject({ status: 503, body: { code: 'UPLOAD_LOST' } });
    expect((await remove('swept')).statusCode).toBe(404); // and its name is free
  });

  it('of hundreds of megabytes goes to disk, and takes no memory', async () => {
    const piece = Buffer.alloc(2 ** 20, 7);
    const count = 300;
    const before = process.memoryUsage.rss();
    let most = 0;
    const sent = post('/datasets?name=huge', count * piece.length);
    for (let i = 0; i < count; i++) {
      if (!sent.write(i === 0 ? archiveOf(piece.length) : piece)) await once(sent, 'drain');
      most = Math.max(most, process.memoryUsage.rss() - before);
    }
    sent.end();
    expect((await answerTo(sent)).status).toBe(202);
    expect(most).toBeLessThan(150e6);
    const [id] = await uploads();
    expect((await stat(uploadPaths(parts.dataDir, id!).archive)).size).toBe(count * piece.length);
    expect((await remove('huge')).statusCode).toBe(204);
  });

  it('of a form is written without what is around it', async () => {
    const boundary = 'edge';
    const file = Buffer.from(`PK\x03\x04\r\n--not the ${boundary}\r\n`);
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="archive"\r\nContent-Type: application/zip\r\n\r\n`;
    const body = Buffer.concat([Buffer.from(head), file, Buffer.from(`\r\n--${boundary}--\r\n`)]);
    const type = `multipart/form-data; boundary=${boundary}`;
    const sent = post('/datasets?name=form', body.length, { 'content-type': type });
    sent.end(body);
    expect(await answerTo(sent)).toMatchObject({ status: 202, body: { bytes: file.length } });
    const [id] = await uploads();
    expect(await readFile(uploadPaths(parts.dataDir, id!).archive)).toEqual(file);
    expect((await remove('form')).statusCode).toBe(204);
  });

  it.each([
    [
      'that ends early',
      '--edge\r\nContent-Disposition: form-data; name="archive"; filename="a.zip"\r\n\r\nPK',
    ],
    ['that is none', 'no form'],
  ])('of a form %s is refused', async (_what, body) => {
    const type = 'multipart/form-data; boundary=edge';
    const sent = post('/datasets?name=form', body.length, { 'content-type': type });
    sent.end(body);
    expect(await answerTo(sent)).toMatchObject({ status: 400, body: { code: 'FORM_NOT_READABLE' } });
    await until('no upload', uploads, (names) => names.length === 0);
  });

  it.each([
    ['text', Buffer.from('no archive')],
    ['text', Buffer.from('no archive\n'.repeat(1000))],
    ['a picture (PNG)', digitPng(0)],
    [
      'a 7z; pack it as a zip',
      Buffer.concat([Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1'), Buffer.alloc(1e6)]),
    ],
    ['bytes of an unknown type', Buffer.alloc(511)], // a tar has at least 512
  ])('of %s is refused at once, as a body and in a form, and leaves nothing', async (what, bytes) => {
    const refusal = {
      status: 415,
      body: {
        code: 'ARCHIVE_TYPE_UNKNOWN',
        detail: expect.stringContaining(`expected a zip, a tar or a tar.gz, got ${what}`),
      },
    };
    const sent = post('/datasets?name=other', bytes.length);
    sent.end(bytes);
    expect(await answerTo(sent)).toMatchObject(refusal);
    expect(await answerToForm('other', formOf(['archive', bytes, 'photo.zip']))).toMatchObject(refusal);
    await until('no upload', uploads, (names) => names.length === 0);
    expect((await parts.app.inject('/datasets/other')).statusCode).toBe(404);
  });

  it('of what is no archive is refused before it has come', async () => {
    const sent = post('/datasets?name=other', 1e6);
    sent.write(Buffer.alloc(512, 'a'));
    expect(await answerTo(sent)).toMatchObject({ status: 415 });
    sent.destroy();
    await until('no upload', uploads, (names) => names.length === 0);
  });

  it('of a zip that comes byte by byte is known as one', async () => {
    const sent = post('/datasets?name=slow', 600);
    for (const byte of archiveOf(600)) sent.write(Buffer.of(byte));
    sent.end();
    expect(await answerTo(sent)).toMatchObject({ status: 202, body: { bytes: 600 } });
    expect((await remove('slow')).statusCode).toBe(204);
  });

  it('of a form with several files is refused, naming the second one, and leaves nothing', async () => {
    const several = formOf(['archive', archiveOf(5000), 'one.zip'], ['more', archiveOf(5000), 'two.zip']);
    expect(await answerToForm('several', several)).toMatchObject({
      status: 400,
      body: {
        code: 'FORM_SEVERAL_FILES',
        detail: expect.stringContaining('got a second one "two.zip" in the field "more"'),
      },
    });
    await until('no upload', uploads, (names) => names.length === 0);
    expect((await parts.app.inject('/datasets/several')).statusCode).toBe(404);
  });

  it('of a form may have fields in which no file was chosen, and others', async () => {
    const form = formOf(
      ['first', Buffer.alloc(0), ''],
      ['archive', archiveOf(50), 'one.zip'],
      ['more', Buffer.alloc(0), ''],
    );
    expect(await answerToForm('fields', form)).toMatchObject({
      status: 202,
      body: { bytes: 50, source: { fileName: 'one.zip' } },
    });
    expect((await remove('fields')).statusCode).toBe(204);
  });

  it('is refused while the server closes, and leaves nothing', async () => {
    const closing = await startParts({ predicts: false });
    address = await closing.app.listen({ host: '127.0.0.1', port: 0 });
    const sent = post('/datasets?name=late', 1000);
    sent.write(Buffer.alloc(1));
    const folder = join(closing.dataDir, 'datasets', '.uploads');
    await until(
      'the upload',
      () => readdir(folder).catch(() => []),
      (names) => names.length === 1,
    );
    const closed = closing.close();
    expect(await answerTo(sent)).toMatchObject({ status: 503, body: { code: 'CLOSING' } });
    await closed;
    expect(await readdir(folder)).toEqual([]);
  });
});
