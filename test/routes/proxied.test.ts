/** Requests that a proxy on this machine has passed on: they come from this address, and from anywhere. */
import { describe, expect, it } from 'vitest';
import { buildQuietApp } from './quiet-app.ts';

const key = 'a-key-of-some-length';

describe('without API_KEY', () => {
  const proxied = [
    ['x-forwarded-for', '203.0.113.7'],
    ['x-forwarded-for', '127.0.0.1'],
    ['forwarded', 'for=203.0.113.7;proto=https'],
    ['via', '1.1 proxy'],
    ['x-real-ip', '203.0.113.7'],
    ['x-forwarded-host', 'trainyard.example'],
    ['x-forwarded-proto', 'https'],
  ] as const;

  it.each(proxied)(
    'does not take a request that a proxy has passed on for a local one (%s: %s)',
    async (name, value) => {
      const app = await buildQuietApp();
      const headers = { host: '127.0.0.1:3000', [name]: value };
      const response = await app.inject({ url: '/jobs', headers });
      expect(response.json()).toMatchObject({ status: 403, code: 'OTHER_SITE' });
      expect(response.json().detail).toMatch(
        new RegExp(`\\(${name}\\); set API_KEY.*ALLOW_ANONYMOUS=true.*TRUST_PROXY`),
      );
      expect((await app.inject({ url: '/health/live', headers })).statusCode).toBe(200);
      const keyed = await buildQuietApp({ access: { apiKeys: [key] } });
      expect(
        (await keyed.inject({ url: '/jobs', headers: { ...headers, authorization: `Bearer ${key}` } }))
          .statusCode,
      ).toBe(200);
    },
  );

  it.each([
    [true, { 'x-forwarded-for': '127.0.0.1' }, 200],
    [true, { 'x-forwarded-for': '::1', 'x-forwarded-proto': 'https', via: '1.1 proxy' }, 200],
    [['loopback'], { 'x-forwarded-for': '127.0.0.1' }, 200],
    [true, { 'x-forwarded-for': '203.0.113.7' }, 403],
    [true, { 'x-forwarded-for': '127.0.0.1, 203.0.113.7' }, 403], // the client's invention, and its address
    [true, { 'x-forwarded-for': '203.0.113.7, 127.0.0.1' }, 403],
    [['10.0.0.2'], { 'x-forwarded-for': '203.0.113.7' }, 403], // the proxy is another one
    [true, { forwarded: 'for=203.0.113.7' }, 403],
    [true, { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': 'evil.example' }, 403],
    [false, {}, 200],
  ])('with TRUST_PROXY=%j and %j answers %i', async (trustProxy, forwarded, status) => {
    const app = await buildQuietApp({ access: { trustProxy } });
    const headers = { host: '127.0.0.1:3000', ...forwarded };
    expect((await app.inject({ url: '/jobs', headers })).statusCode).toBe(status);
  });
});
