/** GET /datasets/:name/events, with a real Redis, a worker and its import processes. */
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childrenOf } from '../../harness/processes.ts';
import { makeZip, type ZipEntry } from '../../harness/zip.ts';
import { type ImportEvent, importEventSchema } from '../../src/jobs/import-events.ts';
import { startWorker, type TrainWorker } from '../../src/jobs/worker/worker.ts';
import { until } from '../jobs/until.ts';
import { shortTimings } from '../jobs/yard.ts';
import { pictures, twoLabels } from '../model/data/import/importing.ts';
import { readStream, type Told } from './event-stream.ts';
import { type Parts, startParts } from './parts.ts';

let parts: Parts;
let address: string;
let worker: TrainWorker | null = null;
beforeAll(async () => {
  parts = await startParts();
  address = await parts.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await worker?.close();
  await parts.close();
});

/** Lets imports run from now on. */
async function openWorker(): Promise<void> {
  worker ??= await startWorker({
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

async function closeWorker(): Promise<void> {
  await worker?.close();
  worker = null;
}

async function send(name: string, entries: readonly ZipEntry[]): Promise<void> {
  const headers = { 'content-type': 'application/zip' };
  const init = { method: 'POST', headers, body: new Uint8Array(makeZip(entries)) };
  expect((await fetch(`${address}/datasets?form=ink&name=${name}`, init)).status).toBe(202);
}

const remove = (name: string) => fetch(`${address}/datasets/${name}`, { method: 'DELETE' });
const urlOf = (name: string) => `${address}/datasets/${name}/events`;
const follow = async (name: string, after?: string) => (await readStream(urlOf(name), after)).told;
const typesOf = (told: readonly Told[]) => told.map(({ event }) => event);
const idsOf = (told: readonly Told[]) => told.map(({ id }) => Number(id));
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const eventsOf = (told: readonly Told[]): ImportEvent[] =>
  told.map(({ data }) => importEventSchema.parse(JSON.parse(data)));

describe('GET /datasets/:name/events', () => {
  it('tells of an import from its place in the queue to its report, and closes', async () => {
    await closeWorker();
    await send('letters', [...twoLabels(20), { name: 'a/notes.png', data: Buffer.from('text') }]);
    const early = readStream(urlOf('letters'), undefined, ({ length }) => length > 0);
    expect(typesOf((await early).told)).toEqual(['queued']);
    const reading = readStream(urlOf('letters'), undefined);
    await openWorker();
    const { told, status } = await reading;
    expect(status).toBe(200);
    expect(idsOf(told)).toEqual(upTo(told.length));
    const [queued, started, ...rest] = eventsOf(told);
    expect(queued).toMatchObject({ type: 'queued' });
    expect(started).toMatchObject({ type: 'started', attempt: 1 });
    const progress = rest.slice(0, -1);
    expect(progress.length).toBeGreaterThan(0);
    expect(progress.at(-1)).toMatchObject({ type: 'progress', pictures: 41, count: 41, fraction: 1 });
    const done = rest.at(-1)!;
    expect(done).toMatchObject({
      type: 'done',
      status: 'succeeded',
      error: null,
      report: { accepted: 40, problemCount: 1, form: { asked: 'ink' } },
    });
    expect(done).not.toHaveProperty('report.problems'); // which GET /datasets/:name has
    const shown = await (await fetch(`${address}/datasets/letters`)).json();
    expect(shown).toMatchObject({ status: 'ready', report: { problems: [{ path: 'a/notes.png' }] } });

    expect(await follow('letters')).toEqual(told); // who comes late hears all of it
    for (const after of [1, told.length - 1])
      expect(await follow('letters', String(after))).toEqual(told.slice(after));
    const last = { 'last-event-id': String(told.length) };
    expect((await fetch(urlOf('letters'), { headers: last })).status).toBe(204);
    expect(
      typesOf((await readStream(`${urlOf('letters')}?after=${told.length - 1}`, undefined)).told),
    ).toEqual(['done']);
  });

  it('tells why an import has failed, and then of the next one under its name', async () => {
    await openWorker();
    await send('one-label', pictures('a', 3));
    const events = eventsOf(await follow('one-label'));
    expect(events.at(-1)).toMatchObject({
      type: 'done',
      status: 'failed',
      error: { code: 'DATASET_LABELS', message: expect.stringContaining('got 1') },
      report: { problemCount: 0 },
    });
    await send('one-label', twoLabels(3));
    expect(eventsOf(await follow('one-label')).at(-1)).toMatchObject({ type: 'done', status: 'succeeded' });
  });

  it('tells of the end of an import that is cancelled, waiting or running', async () => {
    await closeWorker();
    const cancelled = { type: 'done', status: 'cancelled', report: null, error: null };
    await send('waiting', twoLabels(3));
    const heard = follow('waiting', '1'); // the response begins when the stream is open
    await until(
      'a reader',
      async () => (await parts.app.inject('/metrics')).body,
      (body) => body.includes('\ntrainyard_event_streams 1\n'),
    );
    await remove('waiting');
    expect(eventsOf(await heard)).toMatchObject([cancelled]);
    expect((await fetch(urlOf('waiting'))).status).toBe(404);

    await send('running', [...pictures('a', 1500), ...pictures('b', 1500, 1500)]);
    const reading = follow('running');
    await openWorker();
    await until(
      'an import process',
      () => childrenOf(process.pid).filter(({ command }) => command.includes('import-process')),
      ({ length }) => length > 0,
    );
    await remove('running');
    expect(eventsOf(await reading).at(-1)).toMatchObject(cancelled);
  });

  it('has no content where nobody has imported the data set', async () => {
    expect((await fetch(urlOf('mnist'))).status).toBe(204);
  });

  it.each([
    ['of a name that there is not', 'nothing', {}, 404, 'DATASET_NOT_FOUND'],
    ['of what is no name', 'No-Name', {}, 400, 'VALIDATION_FAILED'],
    ['after an event that does not exist', 'letters', { 'last-event-id': '700' }, 400, 'EVENT_UNKNOWN'],
    ['after something that is not a number', 'letters', { 'last-event-id': 'x' }, 400, 'VALIDATION_FAILED'],
  ])('refuses a stream %s', async (_, name, headers, status, code) => {
    const response = await fetch(urlOf(name), { headers });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });

  it('ends when the server closes', async () => {
    const closing = await startParts();
    const place = await closing.app.listen({ host: '127.0.0.1', port: 0 });
    const body = new Uint8Array(makeZip(twoLabels(2)));
    await fetch(`${place}/datasets?name=letters`, { method: 'POST', body });
    const reading = readStream(`${place}/datasets/letters/events`, undefined);
    await until(
      'a reader',
      async () => (await closing.app.inject('/metrics')).body,
      (text) => text.includes('\ntrainyard_event_streams 1\n'),
    );
    await closing.close();
    expect(typesOf((await reading).told)).toEqual(['queued']);
  });
});
