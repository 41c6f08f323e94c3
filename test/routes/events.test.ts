import { once } from 'node:events';
import { get } from 'node:http';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import Fastify from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { buildApp } from '../../src/app.ts';
import type { ImportJobData } from '../../src/jobs/import-contract.ts';
import { openFeed } from '../../src/jobs/producer/event-feed.ts';
import { openImportQueue } from '../../src/jobs/producer/import-queue.ts';
import { openQueue } from '../../src/jobs/producer/queue.ts';
import { Corrections } from '../../src/model/corrections/corrections.ts';
import { openDatasets } from '../../src/model/data/imported/datasets.ts';
import { openDatasetLibrary } from '../../src/model/data/load-dataset.ts';
import { openRegistry } from '../../src/model/registry/registry.ts';
import { eventRoutes } from '../../src/routes/events.ts';
import { createEventStreams } from '../../src/routes/http/event-stream.ts';
import { handleError } from '../../src/routes/http/problem.ts';
import { importEventRoutes } from '../../src/routes/import-events.ts';
import { createMetrics } from '../../src/routes/metrics.ts';
import { closeAfterTest } from '../closing.ts';
import { createRedisServer, startRedisServer } from '../jobs/redis-server.ts';
import { timed, until } from '../jobs/until.ts';
import { lasting, openYard, smallEpochs, type Yard } from '../jobs/yard.ts';
import { isLong } from '../long.ts';
import { readStream, type Told } from './event-stream.ts';
import { noPredictor } from './no-predictor.ts';
import { openAccess } from './parts.ts';
import { noDatasets } from './quiet-app.ts';

const { url: redisUrl } = await startRedisServer();
const redis = await createRedisServer(); // for the test that pauses it
const drops = isLong ? 20 : 8; // the API restarts at every seventh
const endless = { ...smallEpochs, epochs: 1000 } as const;

/** The application as an API process runs it, with its own connections to the yard's Redis. */
async function openApi({ prefix, dataDir, store, redisUrl: url }: Yard, port = 0, beatMs = 10_000) {
  const queue = openQueue({ redisUrl: url, prefix, onError: () => {} });
  const feed = openFeed({ redisUrl: url, prefix, outage: queue.outage, beatMs });
  const log = pino({ level: 'silent' });
  const app = await buildApp({
    queue,
    feed,
    store,
    registry: openRegistry(dataDir),
    promote: 'unless-worse',
    log,
    access: openAccess,
    metrics: createMetrics(),
    predictor: noPredictor,
    datasets: openDatasetLibrary(dataDir),
    ...(await noDatasets()),
    corrections: new Corrections(dataDir),
    kept: null,
  });
  const address = await app.listen({ host: '127.0.0.1', port });
  let closing: Promise<void> | null = null;
  const close = () => (closing ??= app.close().then(() => (feed.close(), queue.close())));
  closeAfterTest(close);
  const eventsOf = (id: string) => `${address}/jobs/${id}/events`;
  return { app, address, port: Number(new URL(address).port), eventsOf, close };
}

const importOf = (name: string): ImportJobData => ({
  request: { name, form: 'auto', testShare: 0.2, seed: 1 },
  fileName: null,
  bytes: 10,
  requestId: 'test',
});
const typesOf = (told: readonly Told[]) => told.map(({ event }) => event);

describe('GET /jobs/:id/events', () => {
  it('sends a job’s events from its place in line to its end, and closes', async () => {
    const yard = await openYard(redisUrl);
    const api = await openApi(yard);
    const { id } = await yard.enqueue();
    const reading = readStream(api.eventsOf(id), undefined);
    await yard.startWorker();
    const { told, status } = await reading;
    expect(status).toBe(200);
    expect(told.map((event) => event.id)).toEqual(told.map((_, index) => String(index + 1)));
    expect(typesOf(told).slice(0, 2)).toEqual(['queued', 'started']);
    expect(typesOf(told).slice(-3)).toEqual(['checkpoint', 'promoted', 'done']);
    for (const { event, data } of told) expect(JSON.parse(data)).toMatchObject({ type: event });
  });

  it(`gives a reader that disconnects ${drops} times at random, while the API restarts, the same events as one that stays connected`, async () => {
    const yard = await openYard(redisUrl);
    let api = await openApi(yard);
    const untouched = await openApi(yard);
    const { id } = await yard.enqueue(endless);
    const whole = readStream(untouched.eventsOf(id), undefined);
    await yard.startWorker({ timings: lasting });
    const told: Told[] = [];
    for (let drop = 1; drop <= drops; drop++) {
      if (drop % 7 === 0) {
        await api.close();
        api = await openApi(yard, api.port);
      }
      const most = Math.floor(3 * Math.random()) + (drop % 2); // even drops may hear nothing
      const next = await readStream(api.eventsOf(id), told.at(-1)?.id, ({ length }) => length >= most);
      told.push(...next.told);
    }
    await yard.queue.cancel(id);
    while (typesOf(told).at(-1) !== 'done') {
      told.push(...(await readStream(api.eventsOf(id), told.at(-1)?.id)).told);
    }
    expect(told).toEqual((await whole).told);
    expect(typesOf(told).at(-1)).toBe('done');
  });

  it('ends when the API closes, and resumes at the next API process', async () => {
    const yard = await openYard(redisUrl);
    const api = await openApi(yard);
    const { id } = await yard.enqueue();
    let heard!: () => void;
    const hears = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const reading = readStream(api.eventsOf(id), undefined, ({ length }) => (length > 0 && heard(), false));
    await hears;
    const { ms } = await timed(() => api.close());
    expect(ms).toBeLessThan(1000);
    const before = (await reading).told;
    const next = await openApi(yard, api.port);
    await yard.startWorker();
    const after = (await readStream(next.eventsOf(id), before.at(-1)!.id)).told;
    expect([...before, ...after].map((event) => event.id)).toEqual(
      [...before, ...after].map((_, index) => String(index + 1)),
    );
  });

  it('sends a comment when nothing happens', async () => {
    const yard = await openYard(redisUrl);
    const api = await openApi(yard, 0, 20);
    const { id } = await yard.enqueue();
    const gone = new AbortController();
    const response = await fetch(api.eventsOf(id), { signal: gone.signal });
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      expect((await api.app.inject('/metrics')).body).toMatch(/^trainyard_event_streams 1$/m);
      if (text.endsWith(':\n\n:\n\n')) break;
    }
    expect(text).toMatch(/^retry: 1000\n\nid: 1\nevent: queued\ndata: .*\n\n(?::\n\n)+$/);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('answers 204 to a client that has received the last event', async () => {
    const yard = await openYard(redisUrl);
    const api = await openApi(yard);
    const { id } = await yard.enqueue();
    await yard.queue.cancel(id);
    const { told } = await readStream(api.eventsOf(id), undefined);
    expect(typesOf(told)).toEqual(['queued', 'done']);
    expect((await fetch(api.eventsOf(id), { headers: { 'last-event-id': '2' } })).status).toBe(204);
    expect(typesOf((await readStream(`${api.eventsOf(id)}?after=1`, undefined)).told)).toEqual(['done']);
  });

  it.each([
    ['of an unknown job', 'nope', {}, 404, 'JOB_NOT_FOUND'],
    ['after an event that does not exist', null, { 'last-event-id': '7' }, 400, 'EVENT_UNKNOWN'],
    ['after something that is not a number', null, { 'last-event-id': 'x' }, 400, 'VALIDATION_FAILED'],
    ['after a negative number', null, { 'last-event-id': '-1' }, 400, 'VALIDATION_FAILED'],
  ])('refuses a stream %s', async (_, given, headers, status, code) => {
    const yard = await openYard(redisUrl);
    const api = await openApi(yard);
    const id = given ?? (await yard.enqueue()).id;
    const response = await fetch(api.eventsOf(id), { headers });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await response.json()).toMatchObject({ code });
  });

  it('continues after an outage of Redis, and refuses new streams during it', async () => {
    await redis.start();
    const yard = await openYard(redis.url);
    const api = await openApi(yard, 0, 50);
    const { id } = await yard.enqueue();
    const signs: number[] = [];
    const reading = readStream(api.eventsOf(id), undefined, ({ length }) => (signs.push(length), false));
    await until(
      'the first event',
      () => signs.at(-1),
      (length) => length === 1,
    );
    redis.pause();
    const refused = await fetch(api.eventsOf(id));
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    redis.resume();
    await until(
      'Redis to be back',
      () => yard.queue.cancel(id).catch(() => null),
      (answer) => answer !== null,
    );
    expect(typesOf((await reading).told)).toEqual(['queued', 'done']);
  });

  it('releases readers that disconnect', async () => {
    const yard = await openYard(redisUrl);
    const api = await openApi(yard);
    const { id } = await yard.enqueue();
    const readAndGo = () =>
      new Promise<void>((resolve) => {
        const request = get(api.eventsOf(id), { agent: false }, (response) => {
          response.once('data', () => resolve(void request.destroy()));
        });
      });
    await Promise.all(Array.from({ length: 50 }, readAndGo));
    const connections = promisify(api.app.server.getConnections.bind(api.app.server));
    await until('the connections to be closed', connections, (count) => count === 0, 1000);
    expect((await api.app.inject('/metrics')).body).toMatch(/^trainyard_event_streams 0$/m);
    expect((await timed(() => api.close())).ms).toBeLessThan(1000);
  });

  it('releases readers that disconnect while the stream opens', async () => {
    const yard = await openYard(redisUrl);
    const api = await openApi(yard);
    const { id } = await yard.enqueue();
    const goAtOnce = async () => {
      const socket = connect(api.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(`GET /jobs/${id}/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`);
      await new Promise((resolve) => setImmediate(resolve));
      socket.destroy();
    };
    await Promise.all(Array.from({ length: 100 }, goAtOnce));
    const connections = promisify(api.app.server.getConnections.bind(api.app.server));
    await until('the connections to be closed', connections, (count) => count === 0);
    const open = async () =>
      /^trainyard_event_streams (\d+)$/m.exec((await api.app.inject('/metrics')).body)![1];
    expect(await until('no stream to be open', open, (count) => count === '0', 2000)).toBe('0');
  });

  it('is refused beyond the limit of streams, which those of imports share, until one ends', async () => {
    const yard = await openYard(redisUrl);
    const feed = openFeed({ redisUrl, prefix: yard.prefix, outage: yard.queue.outage });
    const app = Fastify();
    app.setValidatorCompiler(validatorCompiler);
    app.setSerializerCompiler(serializerCompiler);
    app.setErrorHandler(handleError);
    const streams = createEventStreams(app, { feed, metrics: createMetrics(), maxStreams: 2 });
    await app.register(eventRoutes, { queue: yard.queue, streams });
    const imports = openImportQueue({ redisUrl, prefix: yard.prefix, outage: yard.queue.outage });
    closeAfterTest(() => imports.close());
    await app.register(importEventRoutes, { imports, datasets: openDatasets(yard.dataDir), streams });
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    closeAfterTest(() => app.close().then(() => feed.close()));
    const { id } = await yard.enqueue();
    const url = `${address}/jobs/${id}/events`;
    const importId = await imports.claim('letters');
    await imports.add(importId!, importOf('letters'));
    const ofImport = `${address}/datasets/letters/events`;
    const ending = new AbortController();
    const open = await Promise.all([fetch(url), fetch(ofImport, { signal: ending.signal })]);
    expect(open.map(({ status }) => status)).toEqual([200, 200]);
    for (const one of [url, ofImport]) {
      const refused = await fetch(one);
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('5');
      expect(await refused.json()).toMatchObject({ code: 'TOO_MANY_STREAMS' });
    }
    ending.abort();
    await until(
      'room for another',
      async () => (await fetch(url)).status,
      (status) => status === 200,
    );
  });

  it('does not keep a closing server waiting for an unused connection', async () => {
    const api = await openApi(await openYard(redisUrl));
    const socket = connect(api.port, '127.0.0.1');
    await once(api.app.server, 'connection');
    const gone = once(socket, 'close');
    expect((await timed(() => api.close())).ms).toBeLessThan(1000);
    await gone;
  });
});

describe('GET /jobs/:id/metrics', () => {
  it('returns the loss by step and the epochs', async () => {
    const yard = await openYard(redisUrl);
    const api = await openApi(yard);
    const { id } = await yard.enqueue();
    const metricsOf = async (job: string) => api.app.inject(`/jobs/${job}/metrics`);
    expect((await metricsOf(id)).json()).toEqual({
      id,
      status: 'queued',
      steps: null,
      curve: [],
      epochs: [],
    });
    await yard.startWorker();
    const { epochs } = await yard.untilEnded(id);
    const { curve, ...rest } = (await metricsOf(id)).json<{ curve: object[] }>();
    expect(rest).toEqual({ id, status: 'succeeded', steps: 10, epochs });
    expect(curve.at(-1)).toMatchObject({ step: 10, epoch: 1, loss: expect.any(Number) });
    expect((await metricsOf('nope')).json()).toMatchObject({ status: 404, code: 'JOB_NOT_FOUND' });
  });
});
