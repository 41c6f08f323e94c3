import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp } from '../../src/app.ts';
import type { EventFeed } from '../../src/jobs/producer/event-feed.ts';
import { type ImportQueue, openImportQueue } from '../../src/jobs/producer/import-queue.ts';
import { type JobQueue, openQueue } from '../../src/jobs/producer/queue.ts';
import { type EmbeddedRedis, startRedis } from '../../src/launcher/embedded-redis.ts';
import type { Corrections } from '../../src/model/corrections/corrections.ts';
import { openDatasetLibrary } from '../../src/model/data/load-dataset.ts';
import { openRegistry } from '../../src/model/registry/registry.ts';
import type { Predictor } from '../../src/model/serving/predictor.ts';
import { openStore } from '../../src/model/store/store.ts';
import { createMetrics } from '../../src/routes/metrics.ts';
import { timed } from '../jobs/until.ts';
import { requestOf } from '../jobs/yard.ts';
import { temporaryDirectory } from '../temporary.ts';
import { openAccess } from './parts.ts';
import { noDatasets } from './quiet-app.ts';

const key = 'a-key:of-some-length';
const basic = (user: string, password: string) => ({ authorization: `Basic ${btoa(`${user}:${password}`)}` });
const bearer = { authorization: `Bearer ${key}` };
const board = '/admin/queues';

let redis: EmbeddedRedis;
let queue: JobQueue;
let imports: ImportQueue;
let jobId: string;
const apps: FastifyInstance[] = [];

beforeAll(async () => {
  redis = await startRedis(await temporaryDirectory());
  queue = openQueue({ redisUrl: redis.url, onError: () => {} });
  imports = openImportQueue({ redisUrl: redis.url, outage: queue.outage });
  const result = await queue.enqueue(requestOf({ metadata: { note: 'seen on the board' } }));
  jobId = 'job' in result ? result.job.id : '';
});
afterAll(async () => {
  for (const app of apps) await app.close();
  await Promise.all([queue.close(), imports.close()]);
  await redis.close();
});

async function build(access: Partial<typeof openAccess> = { apiKeys: [key] }): Promise<FastifyInstance> {
  const app = await buildApp({
    queue,
    feed: {} as EventFeed,
    store: openStore(await temporaryDirectory()),
    registry: openRegistry(await temporaryDirectory()),
    promote: 'unless-worse',
    predictor: {} as Predictor,
    datasets: openDatasetLibrary(await temporaryDirectory()),
    ...(await noDatasets()),
    imports,
    corrections: {} as Corrections,
    kept: null,
    access: { ...openAccess, ...access },
    metrics: createMetrics(),
    log: pino({ level: 'silent' }),
  });
  apps.push(app);
  return app;
}

describe('the board', () => {
  it('shows the queue and its jobs', async () => {
    const app = await build();
    const page = await app.inject({ url: board, headers: bearer });
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-type']).toMatch('text/html');
    const { queues } = (
      await app.inject({
        url: `${board}/api/queues?activeQueue=train&status=latest&page=1&jobsPerPage=10`,
        headers: bearer,
      })
    ).json();
    expect(queues).toMatchObject([
      { name: 'train', readOnlyMode: true, allowRetries: false, counts: { waiting: 1 } },
      { name: 'import', readOnlyMode: true, allowRetries: false, counts: { waiting: 0 } },
    ]);
    expect(queues[0].jobs).toMatchObject([
      { id: jobId, data: { request: { metadata: { note: 'seen on the board' } } } },
    ]);
    const { job, status } = (
      await app.inject({ url: `${board}/api/queues/train/${jobId}`, headers: bearer })
    ).json();
    expect([job.id, status]).toEqual([jobId, 'waiting']);
    const job404 = await app.inject({ url: `${board}/api/queues/train/nope`, headers: bearer });
    expect(job404.statusCode).toBe(404);
  });

  it('loads everything from this server, under a strict content security policy', async () => {
    const app = await build();
    for (const url of [board, `${board}/`, `${board}/queue/train`]) {
      const page = await app.inject({ url, headers: bearer });
      const sources = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source!);
      expect(sources.length).toBeGreaterThan(5);
      for (const source of sources.filter((path) => !/^(?:queues|\.|\.\.)\/$/.test(path))) {
        expect(source).toMatch(/^(?:static\/|base\.js$)/);
        const { statusCode, headers } = await app.inject({ url: `${board}/${source}`, headers: bearer });
        expect(statusCode, source).toBe(200);
        expect(headers['content-type']).not.toMatch('html');
      }
      const policy = String(page.headers['content-security-policy']);
      expect(policy).toMatch("style-src 'self' 'unsafe-inline'");
      expect(policy).toMatch("base-uri 'self'");
      expect(policy).toMatch(/default-src 'self';.*script-src-attr 'none'.*frame-ancestors 'none'/);
      expect(page.headers['x-frame-options']).toBe('DENY');
    }
  });

  it('refuses every change', async () => {
    const app = await build();
    for (const [method, path] of [
      ['PUT', '/api/queues/pause'],
      ['PUT', '/api/queues/train/empty'],
      ['PUT', `/api/queues/train/${jobId}/clean`],
      ['PUT', '/api/queues/train/obliterate'],
      ['POST', '/api/queues/train/add'],
      ['DELETE', `/api/queues/train/${jobId}`],
    ] as const) {
      const response = await app.inject({ method, url: board + path, headers: bearer });
      expect(response.statusCode, `${method} ${path}`).toBe(405);
      expect(response.headers['allow']).toBe('GET, HEAD');
      const byPassword = await app.inject({ method, url: board + path, headers: basic('me', key) });
      expect(byPassword.statusCode).toBe(405);
      expect((await app.inject({ method, url: board + path })).statusCode).toBe(401);
    }
    expect((await queue.find(jobId))?.status).toBe('queued');
  });

  it('answers an unknown path with a problem', async () => {
    const app = await build();
    for (const path of ['/static/nope.js', '/nope', '/static/..%2findex.ejs', '/api/nope']) {
      const response = await app.inject({ url: board + path, headers: bearer });
      expect(response.json()).toMatchObject({ status: 404, code: 'NOT_FOUND' });
      expect(response.headers['content-type']).toMatch('application/problem+json');
    }
  });

  it('does not delay a close', async () => {
    const app = await build({});
    const address = await app.listen({ port: 0 });
    for (let i = 0; i < 3; i++) {
      const response = await fetch(`${address}${board}/api/queues`); // kept alive
      expect(response.status).toBe(200);
      await response.json();
    }
    expect((await timed(() => app.close())).ms).toBeLessThan(1000);
  });

  it('shows no key', async () => {
    const app = await build();
    await app.inject({ method: 'POST', url: '/jobs/train', headers: bearer });
    const { body } = await app.inject({
      url: `${board}/api/queues?activeQueue=train&status=latest&page=1&jobsPerPage=10`,
      headers: bearer,
    });
    expect(body).toContain('seen on the board');
    expect(body).not.toContain(key);
  });
});

describe('with API_KEY', () => {
  it('asks a browser for the key, and accepts it with any user name', async () => {
    const app = await build();
    for (const url of [board, `${board}/`, `${board}/static/nope`, `${board}/api/queues`]) {
      const { statusCode, headers, body } = await app.inject(url);
      expect(statusCode).toBe(401);
      expect(headers['www-authenticate']).toBe('Basic realm="trainyard"');
      expect(JSON.parse(body)).toMatchObject({ code: 'UNAUTHORIZED' });
    }
    for (const user of ['me', '']) {
      expect((await app.inject({ url: board, headers: basic(user, key) })).statusCode).toBe(200);
    }
  });

  it.each([
    ['another password', basic('me', 'another-key-of-length')],
    ['the key as the user', basic(key, '')],
    ['half a key', basic('me', key.slice(0, -1))],
    ['the key and more', basic('me', `${key}x`)],
    ['no colon', { authorization: `Basic ${btoa('a-key')}` }],
    ['no base64', { authorization: `Basic ${key}` }],
    ['nothing', { authorization: 'Basic ' }],
    ['another scheme', { authorization: `Digest ${btoa(`me:${key}`)}` }],
    ['another bearer', { authorization: 'Bearer another-key-of-length' }],
  ])('refuses %s', async (_what, headers) => {
    const response = await (await build()).inject({ url: board, headers });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Basic realm="trainyard"');
    expect(response.body).not.toMatch(/another-key|a-key/);
  });

  it('accepts a password on no other route', async () => {
    const app = await build();
    for (const url of ['/jobs', '/admin', '/admin/queuesX', '/nope', '/metrics']) {
      const response = await app.inject({ url, headers: basic('me', key) });
      expect(response.statusCode).toBe(401);
      expect(response.headers['www-authenticate']).toBe('Bearer realm="trainyard"');
    }
  });

  it('counts requests by key, however the key is sent', async () => {
    const app = await build({ apiKeys: [key], requestsPerMinute: 2 });
    const statuses = [];
    for (const headers of [bearer, basic('me', key), basic('you', key)]) {
      statuses.push((await app.inject({ url: `${board}/api/queues`, headers })).statusCode);
    }
    expect(statuses).toEqual([200, 200, 429]);
    const jobs = await app.inject({ url: '/jobs', headers: bearer });
    expect(jobs.statusCode).toBe(429);
  });
});

describe('without API_KEY', () => {
  it('serves only programs and pages of this machine', async () => {
    const app = await build({});
    expect((await app.inject(board)).statusCode).toBe(200);
    const evil = await app.inject({ url: board, headers: { host: 'evil.example' } });
    expect(evil.json()).toMatchObject({ status: 403, code: 'OTHER_SITE' });
  });
});

describe('without Redis', () => {
  it('answers 503 within a second', async () => {
    const app = await build();
    await app.inject({ url: board, headers: bearer });
    await redis.close();
    const { value: response, ms } = await timed(() =>
      app.inject({ url: `${board}/api/queues`, headers: bearer }),
    );
    expect(ms).toBeLessThan(1000);
    expect(response.json()).toMatchObject({ status: 503, code: 'REDIS_UNAVAILABLE' });
    expect(response.headers['retry-after']).toBe('1');
    expect(response.headers['content-type']).toMatch('application/problem+json');
  });
});
