/** Requests through proxies: with keys, without, and in the rate limit. */
import type { FastifyInstance, InjectOptions } from 'fastify';
import { describe, expect, it } from 'vitest';
import { type Access, warningsAbout } from '../../../src/routes/http/guard.ts';
import { openAccess } from '../parts.ts';
import { buildQuietApp, shareQuietApps } from '../quiet-app.ts';

const appWith = shareQuietApps();
const evil = { origin: 'http://evil.example' };

describe('without API_KEY', () => {
  const local = { host: '127.0.0.1:3000' };
  const forwarded = [
    ['x-forwarded-for', '203.0.113.9'],
    ['x-forwarded-for', '127.0.0.1'], // the client may have sent it
    ['forwarded', 'for=203.0.113.9'],
    ['via', '1.1 proxy'],
    ['x-forwarded-host', 'trainyard.example'],
    ['x-forwarded-proto', 'https'],
    ['x-forwarded-port', '443'],
    ['x-forwarded-prefix', '/trainyard'],
    ['x-forwarded-server', 'proxy'],
    ['x-real-ip', '203.0.113.9'],
    ['true-client-ip', '203.0.113.9'],
    ['x-forwarded-for', ''],
  ] as const;

  it.each(forwarded)(
    'refuses what came through a proxy that it does not know, by %s: %s',
    async (name, value) => {
      for (const trustProxy of [false, ['10.0.0.1']]) {
        const app = await appWith({ trustProxy });
        const headers = { ...local, [name]: value };
        const response = await app.inject({ url: '/jobs', headers });
        expect(response.json()).toMatchObject({ status: 403, code: 'OTHER_SITE' });
        expect(response.json().detail).toMatch(
          new RegExp(`got ${name} from 127.0.0.1; set API_KEY, or ALLOW_ANONYMOUS=true.*TRUST_PROXY`),
        );
        expect((await app.inject({ url: '/health/live', headers })).statusCode).toBe(200);
      }
    },
  );

  it.each([
    [true, '127.0.0.1', {}],
    [['loopback'], '127.0.0.1', { 'x-forwarded-host': 'localhost:8080', origin: 'http://localhost:8080' }],
    [['127.0.0.1'], '::1', { 'x-real-ip': '::1', 'x-forwarded-proto': 'http', via: '1.1 proxy' }],
    [['loopback'], '127.0.0.1, 127.0.0.2', {}],
  ])('answers this machine through the proxy of TRUST_PROXY %j: %s', async (trustProxy, client, more) => {
    const app = await appWith({ trustProxy });
    const headers = { ...local, 'x-forwarded-for': client, ...more };
    expect((await app.inject({ url: '/jobs', headers })).statusCode).toBe(200);
  });

  it.each([
    ['another client', { 'x-forwarded-for': '203.0.113.9' }],
    ['one that says to be local', { 'x-forwarded-for': '127.0.0.1, 203.0.113.9' }],
    ['one behind a local proxy that is not named', { 'x-forwarded-for': '203.0.113.9, 127.0.0.1' }],
    ['one that says to be local by another header', { 'x-forwarded-for': '::1', 'x-real-ip': '203.0.113.9' }],
    ['what is no address', { 'x-forwarded-for': 'unknown' }],
    ['no client', { 'x-forwarded-proto': 'https' }],
    ['a client in a header that is not read', { 'x-forwarded-for': '::1', forwarded: 'for=203.0.113.9' }],
    ['another name', { 'x-forwarded-for': '::1', 'x-forwarded-host': 'trainyard.example' }],
    ['a name after another', { 'x-forwarded-for': '::1', 'x-forwarded-host': 'evil.example, localhost' }],
    [
      'a page whose name was made to resolve to here',
      { 'x-forwarded-for': '::1', host: 'evil.example', 'x-forwarded-host': 'localhost' },
    ],
    ['a page of another site', { 'x-forwarded-for': '::1', ...evil }],
  ])('refuses %s through the proxy of TRUST_PROXY', async (_what, more) => {
    for (const trustProxy of [true, ['loopback'], ['127.0.0.1']]) {
      const app = await appWith({ trustProxy });
      const response = await app.inject({ url: '/jobs', headers: { ...local, ...more } });
      expect(response.json()).toMatchObject({ status: 403, code: 'OTHER_SITE' });
      expect(response.json().detail).toMatch(/set API_KEY, or ALLOW_ANONYMOUS=true/);
    }
  });

  it('answers programs on this machine that use no proxy, with TRUST_PROXY as without', async () => {
    const app = await appWith({ trustProxy: ['loopback'] });
    expect((await app.inject({ url: '/jobs', headers: local })).statusCode).toBe(200);
  });
});

describe('with API_KEY', () => {
  it('takes the keys through a proxy as well, whether it is known or not', async () => {
    const key = 'a-key-of-some-length';
    for (const trustProxy of [false, true]) {
      const app = await appWith({ apiKeys: [key], trustProxy });
      const bearer = { authorization: `Bearer ${key}` };
      const proxied = {
        host: 'trainyard.example',
        'x-forwarded-for': '203.0.113.9',
        forwarded: 'for=x',
        via: 'x',
      };
      expect((await app.inject({ url: '/jobs', headers: { ...proxied, ...bearer } })).statusCode).toBe(200);
      expect((await app.inject({ url: '/jobs', headers: proxied })).statusCode).toBe(401);
    }
  });
});

describe('RATE_LIMIT', () => {
  it('is warned about where clients choose the address that counts', () => {
    const warned = (access: Partial<Access>) =>
      warningsAbout({ ...openAccess, requestsPerMinute: 2, trustProxy: true, ...access });
    expect(warned({ allowAnonymous: true })).toEqual([
      expect.stringMatching(/^ALLOW_ANONYMOUS/),
      expect.stringMatching(
        /^RATE_LIMIT with TRUST_PROXY=true: .*; set TRUST_PROXY to the addresses of the proxies/,
      ),
    ]);
    for (const other of [{ trustProxy: ['::1'] }, { trustProxy: false }]) expect(warned(other)).toEqual([]);
    expect(warned({ requestsPerMinute: null })).toEqual([]);
    expect(warned({ apiKeys: ['0123456789abcdef'], allowAnonymous: true })).toEqual([]);
  });

  it('counts the clients of the proxy of TRUST_PROXY, and nobody by what others forward', async () => {
    const access = { allowAnonymous: true, requestsPerMinute: 2, trustProxy: ['127.0.0.1'] };
    const app = await buildQuietApp({ access });
    const from = (client: string, remoteAddress: string) => ({
      url: '/jobs',
      headers: { 'x-forwarded-for': client },
      remoteAddress,
    });
    expect(
      await statuses(
        app,
        [1, 2, 3].map(() => from('203.0.113.9', '127.0.0.1')),
      ),
    ).toEqual([200, 200, 429]);
    expect(await statuses(app, [from('1.1.1.1, 203.0.113.9', '127.0.0.1')])).toEqual([429]);
    expect(await statuses(app, [from('203.0.113.10', '127.0.0.1')])).toEqual([200]);
    const outside = [from('1.1.1.1', '10.0.0.7'), from('2.2.2.2', '10.0.0.7'), from('3.3.3.3', '10.0.0.7')];
    expect(await statuses(app, outside)).toEqual([200, 200, 429]);
  });

  async function statuses(app: FastifyInstance, requests: InjectOptions[]): Promise<number[]> {
    const answers: number[] = [];
    for (const request of requests) answers.push((await app.inject(request)).statusCode);
    return answers;
  }
});
