/** How archives arrive: slowly, after a question, while the server closes. No worker takes them here. */
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { removeUpload, uploadPaths } from '../../src/model/data/import/uploads.ts';
import { until } from '../jobs/until.ts';
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

async function uploads(): Promise<string[]> {
  const names = await readdir(join(parts.dataDir, 'datasets', '.uploads')).catch(() => []);
  return names.filter((name) => !name.startsWith('.'));
}

const remove = (name: string) => parts.app.inject({ method: 'DELETE', url: `/datasets/${name}` });

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
    sent.end(Buffer.alloc(10));
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
      if (!sent.write(piece)) await once(sent, 'drain');
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
    const file = Buffer.from(`PK\r\n--not the ${boundary}\r\n`);
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
