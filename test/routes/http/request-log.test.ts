import * as fc from 'fast-check';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { logOptions } from '../../../src/log.ts';
import { buildQuietApp } from '../quiet-app.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** An application and the lines that it logs at `info`. */
async function openApp(options: Parameters<typeof buildQuietApp>[0] = {}) {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const log = pino(logOptions('server', { logLevel: 'info' }), { write });
  const app = await buildQuietApp({ ...options, log });
  onTestFinished(() => app.close());
  return { app, lines };
}

it('has one line for each request: the route, not what was in it', async () => {
  const { app, lines } = await openApp();
  const headers = { 'content-type': 'application/json' };
  await app.inject({ method: 'GET', url: '/jobs/some-id?key=a-secret' });
  await app.inject({ method: 'POST', url: '/predict', headers, payload: { image: 'YS1zZWNyZXQ=' } });
  await app.inject('/nowhere/a-secret');
  await app.inject({ method: 'DELETE', url: '/jobs/a-secret' });
  expect(lines.map(({ method, route, status, msg }) => [method, route, status, msg])).toEqual([
    ['GET', '/jobs/:id', 404, 'answered'],
    ['POST', '/predict', 503, 'answered'],
    ['GET', 'unknown', 404, 'answered'],
    ['DELETE', '/jobs/:id', 405, 'answered'],
  ]);
  for (const { ms, requestId } of lines) {
    expect(ms).toBeGreaterThanOrEqual(0);
    expect(requestId).toMatch(uuid);
  }
  expect(JSON.stringify(lines)).not.toMatch(/secret|YS1zZWNyZXQ/);
});

it('has none for what is asked every few seconds', async () => {
  const { app, lines } = await openApp();
  for (const url of ['/health/live', '/health/ready', '/metrics']) await app.inject(url);
  expect(lines).toEqual([]);
});

it('gives back an id that is harmless, and else one of its own', async () => {
  const { app, lines } = await openApp();
  const harmless = fc.stringMatching(/^[A-Za-z0-9_.:=+/@-]{1,128}$/);
  const others = fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme-ascii' });
  await fc.assert(
    fc.asyncProperty(fc.oneof(harmless, others), async (given) => {
      const { headers } = await app.inject({ url: '/jobs', headers: { 'x-request-id': given } });
      const isHarmless = /^[A-Za-z0-9_.:=+/@-]{1,128}$/.test(given);
      expect(headers['x-request-id']).toMatch(isHarmless ? given : uuid);
      expect(headers['x-request-id'] === given).toBe(isHarmless);
      expect(lines.pop()).toMatchObject({ requestId: headers['x-request-id'] });
    }),
  );
});

it.each(['/%', '/jobs/%zz', `/jobs/${'x'.repeat(200)}`, '/nowhere'])(
  'gives an id with a refusal as well: %s',
  async (url) => {
    const { app } = await openApp();
    const { headers, statusCode } = await app.inject({ url, headers: { 'x-request-id': 'mine' } });
    expect(statusCode).toBeGreaterThanOrEqual(400);
    expect(headers['x-request-id']).toBe('mine');
  },
);

it('has the fault itself with a 500, under the id that the answer names', async () => {
  const { app, lines } = await openApp({
    addRoutes: (server) => void server.get('/fault', () => Promise.reject(new Error('a fault'))),
  });
  const answer = await app.inject('/fault?key=a-secret');
  const line = lines.find(({ level }) => level === 50);
  expect(line).toMatchObject({ err: { message: 'a fault' }, requestId: answer.headers['x-request-id'] });
  expect(answer.json().detail).toContain(line!['requestId']);
  expect(JSON.stringify(lines)).not.toContain('a-secret');
});
