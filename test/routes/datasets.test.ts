/** Data sets over HTTP, with a real Redis, a worker and its import processes. */
import { readdir, readlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeZip, type ZipEntry } from '../../harness/zip.ts';
import { startWorker, type TrainWorker } from '../../src/jobs/worker/worker.ts';
import { until } from '../jobs/until.ts';
import { shortTimings } from '../jobs/yard.ts';
import { isLong } from '../long.ts';
import { digitPng, makeTarGz, pictures, twoLabels } from '../model/data/import/importing.ts';
import { type Parts, startParts } from './parts.ts';

const rounds = isLong ? 8 : 4;

let parts: Parts;
let worker: TrainWorker;
let address: string;
beforeAll(async () => {
  parts = await startParts({ predicts: false, datasetLimits: { archiveBytes: 2e6, allBytes: 6e6 } });
  address = await parts.app.listen({ host: '127.0.0.1', port: 0 });
  worker = await openWorker();
});
afterAll(async () => {
  await worker.close();
  await parts.close();
});

function openWorker(): Promise<TrainWorker> {
  return startWorker({
    redisUrl: parts.redis.url,
    dataDir: parts.dataDir,
    engine: 'auto',
    requireGpu: false,
    noGpu: null,
    device: 'a test',
    gitCommit: null,
    log: pino({ level: 'silent' }),
    trainerNiceness: 0,
    timings: shortTimings,
  });
}

type Body = FormData | Uint8Array;
type Answer = { status: number; body: Record<string, unknown>; location: string | null };

async function send(query: string, body: Body, type = 'application/zip'): Promise<Answer> {
  const headers = body instanceof FormData ? undefined : { 'content-type': type };
  const init = { method: 'POST', body: body as FormData, ...(headers && { headers }) };
  const response = await fetch(`${address}/datasets?${query}`, init);
  return {
    status: response.status,
    body: (await response.json()) as Answer['body'],
    location: response.headers.get('location'),
  };
}

const zipOf = (entries: readonly ZipEntry[]) => new Uint8Array(makeZip(entries));

async function get(path: string): Promise<Record<string, unknown>> {
  return (await (await fetch(`${address}${path}`)).json()) as Record<string, unknown>;
}

async function remove(name: string): Promise<number> {
  return (await fetch(`${address}/datasets/${name}`, { method: 'DELETE' })).status;
}

/** Waits until an import has ended. */
function ended(name: string) {
  return until(
    `data set ${name}`,
    () => get(`/datasets/${name}`),
    ({ status }) => status === 'ready' || status === 'failed',
  );
}

/** What is answered to those who want to use a data set. */
async function useOf(dataset: string): Promise<Record<string, unknown>[]> {
  const job = await parts.app.inject({ method: 'POST', url: '/jobs/train', payload: { dataset } });
  const shown = ['samples.png', 'test/0.png'].map((path) => get(`/datasets/${dataset}/${path}`));
  return [job.json(), await get(`/recipes?dataset=${dataset}`), ...(await Promise.all(shown))];
}

const uploads = () => readdir(join(parts.dataDir, 'datasets', '.uploads')).catch(() => []);

/** Files of uploads that this process, in which the server runs, has open. */
async function openUploads(): Promise<string[]> {
  const descriptors = await readdir('/proc/self/fd');
  const paths = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return paths.filter((path) => path.includes('/.uploads/'));
}

describe('POST /datasets', () => {
  it('imports an archive, and shows the data set under its name', async () => {
    const answer = await send(
      'name=letters&form=ink',
      zipOf([...pictures('a', 20), ...pictures('b', 20, 20)]),
    );
    expect(answer).toMatchObject({
      status: 202,
      location: '/datasets/letters',
      body: { name: 'letters', status: 'importing', builtIn: false },
    });
    expect(await ended('letters')).toMatchObject({
      status: 'ready',
      form: 'ink',
      labels: ['a', 'b'],
      counts: { train: { count: 32, byLabel: [16, 16] }, test: { count: 8 } },
      report: { accepted: 40, problemCount: 0 },
      error: null,
    });
    await until('no archive', uploads, (names) => names.length === 0);
    const { data } = (await get('/datasets')) as { data: { name: string }[] };
    expect(data.map(({ name }) => name)).toEqual(expect.arrayContaining(['mnist', 'letters']));
    const picture = await fetch(`${address}/datasets/letters/train/0.png`);
    expect([picture.status, picture.headers.get('x-label')]).toEqual([200, expect.stringMatching(/^[ab]$/)]);
    expect((await fetch(`${address}/datasets/letters/samples.png`)).status).toBe(200);
    expect((await fetch(`${address}/datasets/letters/test/8.png`)).status).toBe(404);
  });

  it('takes the file of a form, a tar.gz, and any content type', async () => {
    const form = new FormData();
    form.append('note', 'not the archive');
    form.append('archive', new Blob([zipOf(twoLabels(5))]), 'буквы.zip');
    expect((await send('name=from-form', form)).status).toBe(202);
    expect(await ended('from-form')).toMatchObject({ status: 'ready', source: { fileName: 'буквы.zip' } });
    const tar = new Uint8Array(await makeTarGz(twoLabels(5)));
    expect((await send('name=from-tar', tar, 'text/plain')).status).toBe(202);
    expect(await ended('from-tar')).toMatchObject({ status: 'ready' });
  });

  it('lists data sets without the files that were refused, which each has', async () => {
    const entries = [
      ...twoLabels(5),
      { name: 'a/notes.png', data: Buffer.from('no picture') },
      { name: 'a/same.png', data: digitPng(0) },
    ];
    expect((await send('name=partly', zipOf(entries))).status).toBe(202);
    expect(await ended('partly')).toMatchObject({
      report: {
        problemCount: 1,
        problems: [{ path: 'a/notes.png' }],
        duplicateFiles: [{ path: 'a/same.png', sameAs: 'a/0.png' }],
      },
    });
    const { data } = (await get('/datasets')) as { data: { name: string; report: object }[] };
    const { report } = data.find(({ name }) => name === 'partly')!;
    expect(report).toMatchObject({ accepted: 10, problemCount: 1, duplicates: 1 });
    for (const list of ['problems', 'duplicateFiles']) expect(report).not.toHaveProperty(list);
    expect(await remove('partly')).toBe(204);
  });

  it('says why an archive is no data set, and lets its name be used again', async () => {
    expect((await send('name=wrong', zipOf(pictures('a', 3)))).status).toBe(202);
    expect(await ended('wrong')).toMatchObject({
      status: 'failed',
      error: { code: 'DATASET_LABELS', message: expect.stringContaining('got 1') },
      report: { problemCount: 0 },
    });
    const refusal = { status: 409, code: 'DATASET_IMPORT_FAILED', detail: expect.stringContaining('got 1') };
    for (const answer of await useOf('wrong')) expect(answer).toMatchObject(refusal);
    expect((await send('name=wrong', new Uint8Array(gzipSync('no tar')))).status).toBe(202);
    expect(await ended('wrong')).toMatchObject({ error: { code: 'ARCHIVE_TYPE_UNKNOWN' } });
    expect((await send('name=wrong', zipOf(twoLabels(3)))).status).toBe(202);
    expect(await ended('wrong')).toMatchObject({ status: 'ready', error: null });
    expect((await send('name=wrong', zipOf(twoLabels(3)))).body).toMatchObject({
      code: 'DATASET_NAME_TAKEN',
    });
  });

  it.each([
    ['name=mnist', 400, 'VALIDATION_FAILED'],
    ['name=Letters', 400, 'VALIDATION_FAILED'],
    ['', 400, 'VALIDATION_FAILED'],
    ['name=x&form=photo', 400, 'VALIDATION_FAILED'],
    ['name=x&testShare=0.9', 400, 'VALIDATION_FAILED'],
    ['name=x&more=1', 400, 'VALIDATION_FAILED'],
  ])('refuses ?%s', async (query, status, code) => {
    const answer = await send(query, zipOf(twoLabels(2)));
    expect(answer.body).toMatchObject({ status, code });
  });

  it('refuses what is empty, too large, encoded, or a form without a file', async () => {
    const codeOf = async (body: Body) => (await send('name=x', body)).body['code'];
    expect(await codeOf(new Uint8Array())).toBe('ARCHIVE_EMPTY');
    expect(await codeOf(new Uint8Array(2e6 + 1))).toBe('ARCHIVE_TOO_LARGE');
    expect(await codeOf(new FormData())).toBe('FORM_NOT_READABLE');
    const headers = { 'content-type': 'application/zip', 'content-encoding': 'gzip' };
    const encoded = await fetch(`${address}/datasets?name=x`, { method: 'POST', headers, body: 'x' });
    expect(await encoded.json()).toMatchObject({ status: 415, code: 'CONTENT_ENCODING_UNSUPPORTED' });
    expect(await uploads()).toEqual([]);
  });

  it('takes an archive of just the largest size, in a form too, and none of a byte more', async () => {
    await worker.close(); // so that nothing is imported
    const formOf = (bytes: number) => {
      const form = new FormData();
      form.append('note', 'x'.repeat(10_000));
      form.append('archive', new Blob([new Uint8Array(bytes)]), 'large.tar');
      return form;
    };
    const codeOf = async (body: Body) => (await send('name=largest', body)).body['code'] ?? 'taken';
    expect([await codeOf(new Uint8Array(2e6)), await remove('largest')]).toEqual(['taken', 204]);
    expect([await codeOf(formOf(2e6)), await remove('largest')]).toEqual(['taken', 204]);
    expect(await codeOf(formOf(2e6 + 1))).toBe('ARCHIVE_TOO_LARGE');
    expect(await codeOf(formOf(4e6))).toBe('ARCHIVE_TOO_LARGE');
    expect(await uploads()).toEqual([]);
    worker = await openWorker();
  });

  it('refuses more than all data sets may take', async () => {
    const large = new Uint8Array(1.9e6); // as the end of a tar is
    const names = ['one', 'two', 'three', 'four'];
    await worker.close(); // so that the archives stay
    const statuses: number[] = [];
    for (const name of names) statuses.push((await send(`name=full-${name}`, large)).status);
    expect(statuses).toEqual([202, 202, 202, 507]);
    const refusal = { status: 409, code: 'DATASET_IMPORTING' };
    for (const answer of await useOf('full-one')) expect(answer).toMatchObject(refusal);
    const unknown = { status: 404, code: 'DATASET_NOT_FOUND' };
    for (const answer of await useOf('full-four')) expect(answer).toMatchObject(unknown);
    for (const name of names) await remove(`full-${name}`);
    expect(await uploads()).toEqual([]);
    worker = await openWorker();
  });

  it('leaves no file open of a form that is cut off', async () => {
    const head = [
      '--x',
      'content-disposition: form-data; name="archive"; filename="cut.zip"',
      'content-type: application/zip',
    ];
    const sent = request(`${address}/datasets?name=cut-form`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=x', 'content-length': '100000' },
    });
    sent.on('error', () => {});
    sent.write(`${head.join('\r\n')}\r\n\r\nPK\x03\x04${'p'.repeat(50_000)}`);
    await until('an open file', openUploads, (paths) => paths.length === 1);
    sent.destroy();
    await until('no open file', openUploads, (paths) => paths.length === 0);
    await until('no upload', uploads, (names) => names.length === 0);
    expect((await get('/datasets/cut-form'))['code']).toBe('DATASET_NOT_FOUND');
  });

  it('leaves nothing of an upload that is cut off', async () => {
    const sent = request(`${address}/datasets?name=cut`, {
      method: 'POST',
      headers: { 'content-type': 'application/zip', 'content-length': '100000' },
    });
    sent.on('error', () => {});
    sent.write(Buffer.alloc(1000));
    await until('an upload', uploads, (names) => names.length === 1);
    expect((await send('name=cut', zipOf(twoLabels(2)))).body).toMatchObject({ code: 'DATASET_IMPORTING' });
    sent.destroy();
    await until('no upload', uploads, (names) => names.length === 0);
    expect((await get('/datasets/cut'))['code']).toBe('DATASET_NOT_FOUND');
    await until(
      'the name is free',
      () => send('name=cut', zipOf(twoLabels(2))),
      ({ status }) => status === 202,
    );
    expect(await remove('cut')).toBe(204);
  });
});

describe('a damaged data set', () => {
  it('is named, left out of the list, and can be deleted', async () => {
    expect((await send('name=damaged', zipOf(twoLabels(5)))).status).toBe(202);
    expect(await ended('damaged')).toMatchObject({ status: 'ready' });
    await until('its job to end', uploads, (names) => names.length === 0);
    await writeFile(join(parts.dataDir, 'datasets', 'damaged', 'manifest.json'), '{}');
    const code = 'DATASET_DAMAGED';
    expect(await get('/datasets/damaged')).toMatchObject({ status: 503, code });
    expect(await get('/datasets/damaged/test/0.png')).toMatchObject({ status: 503, code });
    const payload = { dataset: 'damaged' };
    const job = await parts.app.inject({ method: 'POST', url: '/jobs/train', payload });
    expect(job.json()).toMatchObject({ status: 503, code });
    const { data } = (await get('/datasets')) as { data: { name: string }[] };
    expect(data.map(({ name }) => name)).not.toContain('damaged');
    expect(await remove('damaged')).toBe(204);
  });
});

describe('DELETE /datasets/:name', () => {
  it('and a training that is asked for at the same moment do not both succeed', async () => {
    for (let round = 0; round < rounds; round++) {
      await send('name=raced', zipOf(twoLabels(5))); // is refused where it is still there
      await ended('raced');
      await until('its job to end', uploads, (names) => names.length === 0);
      const payload = { dataset: 'raced' };
      const asked = parts.app.inject({ method: 'POST', url: '/jobs/train', payload });
      const [job, removed] = await Promise.all([asked, remove('raced')]);
      expect([job.statusCode, removed]).not.toEqual([202, 204]);
      const { status } = await get('/datasets/raced');
      expect(status).toBe(removed === 204 ? 404 : 'ready');
      await parts.app.inject({ method: 'POST', url: `/jobs/${job.json().id}/cancel` });
    }
  });

  it('refuses a built-in one, one that there is none of, and one that a job needs', async () => {
    expect([await remove('mnist'), await remove('nothing')]).toEqual([409, 404]);
    const job = await parts.app.inject({
      method: 'POST',
      url: '/jobs/train',
      payload: { dataset: 'letters' },
    });
    expect(job.statusCode).toBe(202);
    const { sha256 } = await get('/datasets/letters');
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(await get(`/jobs/${job.json().id}`)).toMatchObject({ datasetSha256: sha256 });
    expect(await remove('letters')).toBe(409);
    await parts.app.inject({ method: 'POST', url: `/jobs/${job.json().id}/cancel` });
    await until(
      'the job to end',
      () => remove('letters'),
      (status) => status === 204,
    );
    expect(await remove('letters')).toBe(404);
  });
});
