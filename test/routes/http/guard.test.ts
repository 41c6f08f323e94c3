import * as fc from 'fast-check';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { logOptions } from '../../../src/log.ts';
import { runs } from '../../long.ts';
import { buildQuietApp, shareQuietApps } from '../quiet-app.ts';

const appWith = shareQuietApps();
const key = 'a-key-of-some-length';
const otherKey = 'another-key-of-some-length';
const apiKeys = [key, otherKey];
const bearer = (value: string) => ({ authorization: `Bearer ${value}` });

/** What holds nothing of this installation, and health. */
const openPaths = [
  '/',
  '/docs',
  '/docs/json',
  '/openapi.json',
  '/health/live',
  '/health/ready',
  '/v2/health/live',
  '/v2/health/ready',
];

type Request = InjectOptions & { readonly url: string };

/** Every route of the application, as its own document lists them, and paths that are not in it. */
async function requestsOf(app: FastifyInstance): Promise<{ open: Request[]; others: Request[] }> {
  const { paths } = app.swagger() as unknown as { paths: Record<string, Record<string, object>> };
  const documented = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => ({ method, url: path.replaceAll(/\{\w+\}/g, '1') })),
  );
  const hidden = [
    '/',
    '/docs',
    '/docs/json',
    '/openapi.json',
    '/docs.',
    '/nope',
    '/index.html',
    '/assetsX',
    '/jobs/',
  ];
  const all = [...documented, ...hidden.map((url) => ({ method: 'get', url }))] as Request[];
  const isOpen = ({ url }: Request) => openPaths.includes(url);
  return { open: all.filter(isOpen), others: all.filter((request) => !isOpen(request)) };
}

describe('with API_KEY', () => {
  it('answers 401 on every route and on unknown paths without a key, but not on what is open', async () => {
    const app = await appWith({ apiKeys });
    const requests = await requestsOf(app);
    expect(requests.open).toHaveLength(openPaths.length);
    const { others } = requests;
    expect(others.length).toBeGreaterThanOrEqual(12);
    for (const request of others) {
      const response = await app.inject(request);
      const problem = { status: 401, code: 'UNAUTHORIZED', instance: request.url };
      expect(response.json(), request.url).toMatchObject(problem);
      expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(response.headers['www-authenticate']).toBe('Bearer realm="trainyard"');
    }
    for (const request of requests.open) {
      const response = await app.inject(request);
      expect([401, 403, 429, 500], request.url).not.toContain(response.statusCode);
      expect(response.headers['www-authenticate']).toBeUndefined();
      expect((await app.inject({ ...request, method: 'PATCH' })).statusCode, request.url).toBe(405);
    }
    expect((await app.inject({ method: 'PATCH', url: '/jobs' })).statusCode).toBe(401);
  });

  it('takes each of the keys, on every route, from whatever host', async () => {
    const app = await appWith({ apiKeys });
    for (const request of (await requestsOf(app)).others) {
      for (const headers of [bearer(key), bearer(otherKey), { authorization: `bearer  ${key} ` }]) {
        const response = await app.inject({ ...request, headers: { host: 'trainyard.example', ...headers } });
        expect([401, 403, 500]).not.toContain(response.statusCode);
      }
    }
  });

  it('names the error in the challenge where a key was sent, and does not repeat it', async () => {
    const app = await appWith({ apiKeys });
    const response = await app.inject({ url: '/jobs', headers: bearer('not-the-right-key-at-all') });
    expect(response.headers['www-authenticate']).toBe('Bearer realm="trainyard", error="invalid_token"');
    expect(response.json().detail).toMatch(/expected .*"Authorization: Bearer KEY".* got a key that is not/);
    expect(response.body).not.toMatch(/not-the-right-key|a-key-of/);
    const basic = await app.inject({
      url: '/jobs',
      headers: { authorization: `Basic ${btoa(`me:${key}`)}` },
    });
    expect(basic.statusCode).toBe(401);
    expect(basic.headers['www-authenticate']).toBe('Bearer realm="trainyard"');
  });

  it('lets nothing else pass', async () => {
    const app = await appWith({ apiKeys });
    const nearly = fc.constantFrom(
      key.slice(1),
      key.slice(0, -1),
      `${key}x`,
      key.toUpperCase(),
      `${key},${otherKey}`,
    );
    const headerText = fc.string({
      unit: fc.constantFrom(...` Bbearer,;=-_~"\t${key}`.split('')),
      maxLength: 60,
    });
    const value = fc.oneof(
      nearly.map((text) => `Bearer ${text}`),
      headerText,
      headerText.map((text) => `Bearer ${text}`),
      fc.constantFrom(`Bearer${key}`, key, `Basic ${key}`, `Bearer Bearer ${key}`, 'Bearer', 'Bearer '),
    );
    await fc.assert(
      fc.asyncProperty(value, async (authorization) => {
        fc.pre(!/^bearer +(?:a|another)-key-of-some-length\s*$/i.test(authorization));
        expect((await app.inject({ url: '/jobs', headers: { authorization } })).statusCode).toBe(401);
      }),
      { numRuns: runs(500) },
    );
  });

  it('logs no key, even where headers or the configuration are logged', async () => {
    let lines = '';
    const log = pino(logOptions('test', { logLevel: 'trace' }), {
      write: (line: string) => {
        lines += line;
      },
    });
    const app = await buildQuietApp({
      access: { apiKeys },
      log,
      addRoutes: (instance) =>
        instance.get('/throws', async (request) => {
          request.log.info({ headers: request.headers, config: { apiKeys, redisUrl: 'redis://:hidden@x' } });
          throw new Error('a fault');
        }),
    });
    for (const url of ['/jobs', '/nope', '/throws']) await app.inject({ url, headers: bearer(key) });
    await app.inject({ url: '/jobs', headers: bearer('some-wrong-key-of-length') });
    expect(lines).toContain('a fault');
    expect(lines).toContain('[Redacted]');
    expect(lines).not.toMatch(/key-of-some-length|wrong-key|hidden/);
  });

  it('documents the scheme, the open routes and the refusals', async () => {
    const app = await buildQuietApp({ access: { apiKeys, requestsPerMinute: 10 } });
    const document = (await app.inject({ url: '/openapi.json', headers: bearer(key) })).json();
    expect(document.components.securitySchemes.bearer).toMatchObject({ type: 'http', scheme: 'bearer' });
    expect(document.security).toEqual([{ bearer: [] }]);
    expect(document.paths['/health/live'].get.security).toEqual([]);
    expect(document.paths['/jobs'].get.security).toBeUndefined();
    expect(Object.keys(document.paths['/jobs'].get.responses)).toEqual(
      expect.arrayContaining(['401', '429']),
    );
    const open = (await (await appWith()).inject('/openapi.json')).json();
    expect(open.components.securitySchemes.bearer).toBeDefined();
    expect(open.security).toEqual([]);
  });
});

describe('without API_KEY', () => {
  const evil = { origin: 'http://evil.example' };

  it.each([{}, { host: 'localhost:3000' }, { host: '127.0.0.1:3000' }, { host: '[::1]:3000' }])(
    'answers a program on this machine, %j',
    async (headers) => {
      expect((await (await appWith()).inject({ url: '/jobs', headers })).statusCode).toBe(200);
    },
  );

  it('answers a page of its own', async () => {
    const headers = { host: '127.0.0.1:3000', origin: 'http://127.0.0.1:3000' };
    const response = await (await appWith()).inject({ method: 'POST', url: '/jobs/x/cancel', headers });
    expect(response.statusCode).toBe(404);
  });

  it.each([
    ['of another site', { ...evil, host: '127.0.0.1:3000' }],
    ['of another port', { origin: 'http://127.0.0.1:4000', host: '127.0.0.1:3000' }],
    ['in a sandbox', { origin: 'null', host: '127.0.0.1:3000' }],
    ['whose name was made to resolve to here', { host: 'evil.example', origin: 'http://evil.example' }],
    ['whose name only looks like one of here', { host: '127.0.0.1.evil.example' }],
  ])('refuses a page %s', async (_whose, headers) => {
    const app = await appWith();
    const response = await app.inject({ method: 'POST', url: '/jobs/train', headers });
    expect(response.json()).toMatchObject({ status: 403, code: 'OTHER_SITE' });
    expect(response.json().detail).toMatch(/set API_KEY, or ALLOW_ANONYMOUS=true/);
    expect((await app.inject({ url: '/health/live', headers })).statusCode).toBe(200);
  });

  it('answers everybody where ALLOW_ANONYMOUS says so', async () => {
    const app = await appWith({ allowAnonymous: true });
    const headers = { host: 'trainyard.example', ...evil };
    expect((await app.inject({ url: '/jobs', headers })).statusCode).toBe(200);
  });
});

describe('headers', () => {
  it('keep other pages out of every answer, refusals and faults too', async () => {
    const app = await buildQuietApp({
      access: { apiKeys },
      addRoutes: (instance) =>
        instance.get('/throws', () => {
          throw new Error('a fault');
        }),
    });
    for (const [url, headers] of [
      ['/jobs', {}],
      ['/jobs', bearer(key)],
      ['/nope', bearer(key)],
      ['/throws', bearer(key)],
      ['/datasets/mnist/test/0.png', bearer(key)],
    ] as const) {
      const response = await app.inject({ url, headers: { ...headers, origin: 'http://evil.example' } });
      const policy = String(response.headers['content-security-policy']);
      expect(policy).toContain("default-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|https:|upgrade-insecure/); // it may well be served over plain HTTP
      expect(response.headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
      });
      expect(toldBy(response.headers)).toEqual([]);
    }
  });

  it('allow no other origin, asked by a preflight or not', async () => {
    const app = await appWith({ allowAnonymous: true });
    const headers = { origin: 'http://evil.example', 'access-control-request-method': 'POST' };
    for (const method of ['OPTIONS', 'GET', 'POST'] as const) {
      expect(toldBy((await app.inject({ method, url: '/jobs', headers })).headers)).toEqual([]);
    }
  });

  /** Headers that would let other origins in or say what the server is made of. */
  function toldBy(headers: Record<string, unknown>): string[] {
    const told = /^(?:access-control-|server$|x-powered-by$|via$|strict-transport-security$)/;
    return Object.keys(headers).filter((name) => told.test(name));
  }
});

describe('RATE_LIMIT', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  const statuses = async (app: FastifyInstance, requests: InjectOptions[]) => {
    const answers: number[] = [];
    for (const request of requests) answers.push((await app.inject(request)).statusCode);
    return answers;
  };
  const times = (count: number, request: InjectOptions) => Array.from({ length: count }, () => request);
  const jobs = (headers: Record<string, string>) => ({ url: '/jobs', headers });

  it('answers 429 with Retry-After past so many a minute, and goes on in the next', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const app = await buildQuietApp({ access: { apiKeys, requestsPerMinute: 3 } });
    expect(await statuses(app, times(3, jobs(bearer(key))))).toEqual([200, 200, 200]);
    vi.advanceTimersByTime(20_000);
    const response = await app.inject(jobs(bearer(key)));
    expect(response.json()).toMatchObject({ status: 429, code: 'RATE_LIMITED', title: 'Too Many Requests' });
    expect(response.json().detail).toMatch(/at most 3 requests a minute with one key/);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.headers).toMatchObject({ 'retry-after': '40', 'ratelimit-limit': '3' });
    vi.advanceTimersByTime(40_000);
    expect(await statuses(app, times(1, jobs(bearer(key))))).toEqual([200]);
  });

  it('counts by key, however it is written, over all routes and unknown paths', async () => {
    const app = await buildQuietApp({ access: { apiKeys, requestsPerMinute: 3 } });
    const headers = bearer(key);
    const first = [jobs(headers), { url: '/nope', headers }, jobs({ authorization: `bEARER   ${key} ` })];
    expect(await statuses(app, first)).toEqual([200, 404, 200]);
    expect(await statuses(app, times(2, { url: '/models', headers }))).toEqual([429, 429]);
    expect(await statuses(app, [{ url: '/nope', headers }])).toEqual([429]);
    expect(await statuses(app, times(1, jobs(bearer(otherKey))))).toEqual([200]);
  });

  it('does not count requests without a key, nor health', async () => {
    const app = await buildQuietApp({ access: { apiKeys, requestsPerMinute: 1 } });
    expect(await statuses(app, times(3, { url: '/jobs' }))).toEqual([401, 401, 401]);
    expect(await statuses(app, times(3, { url: '/health/live' }))).toEqual([200, 200, 200]);
    expect(await statuses(app, times(2, jobs(bearer(key))))).toEqual([200, 429]);
    expect(await statuses(app, times(2, { url: '/health/live', headers: bearer(key) }))).toEqual([200, 200]);
  });

  it('counts by client address where there are no keys', async () => {
    const app = await buildQuietApp({ access: { requestsPerMinute: 2 } });
    const from = (remoteAddress: string) => ({ url: '/jobs', remoteAddress });
    expect(await statuses(app, times(3, from('127.0.0.1')))).toEqual([200, 200, 429]);
    expect(await statuses(app, [from('127.0.0.2')])).toEqual([200]);
    expect((await app.inject(from('127.0.0.1'))).json().detail).toMatch(/from one address/);
  });

  it('is none by default', async () => {
    const app = await appWith();
    const answers = await statuses(
      app,
      times(200, { url: '/health/live' }).concat(times(200, { url: '/jobs' })),
    );
    expect(new Set(answers)).toEqual(new Set([200]));
  });
});
