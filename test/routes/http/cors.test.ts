/** Pages of other origins: none may call the API unless CORS_ORIGINS names them. */
import { describe, expect, it } from 'vitest';
import { shareQuietApps } from '../quiet-app.ts';

const appWith = shareQuietApps();
const tools = 'https://tools.example';
const key = 'a-key-of-some-length';
const local = { host: '127.0.0.1:3000' };
const preflight = {
  ...local,
  origin: tools,
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type',
};

describe('without CORS_ORIGINS', () => {
  it('no answer has a header that lets a page read it, and a page of another site is refused', async () => {
    const app = await appWith();
    const answer = await app.inject({ url: '/jobs', headers: { ...local, origin: tools } });
    expect(answer.json()).toMatchObject({ status: 403, code: 'OTHER_SITE' });
    expect(answer.json().detail).toContain('CORS_ORIGINS');
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    const asked = await app.inject({ method: 'OPTIONS', url: '/jobs', headers: preflight });
    expect(asked.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe.each([
  ['without keys', []],
  ['with keys', [key]],
])('with CORS_ORIGINS, %s', (_name, apiKeys) => {
  const build = () => appWith({ apiKeys, corsOrigins: [tools, 'http://localhost:5173'] });
  const authorization = { authorization: `Bearer ${key}` };

  it.each(['/jobs', '/jobs/train', '/predict', '/models/1', '/nowhere'])(
    'a preflight for %s is answered, without a key',
    async (url) => {
      const answer = await (await build()).inject({ method: 'OPTIONS', url, headers: preflight });
      expect(answer.statusCode).toBe(204);
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': tools,
        'access-control-allow-headers': 'authorization,content-type',
        'access-control-allow-methods': expect.stringContaining('POST'),
        'access-control-max-age': '600',
        vary: expect.stringContaining('Origin'),
      });
    },
  );

  it.each([
    ['/jobs', 200],
    ['/nowhere', 404],
    ['/models/0', 400],
  ])('the page may read the answer to %s (%i), and its headers', async (url, status) => {
    const headers = { ...local, ...authorization, origin: tools };
    const answer = await (await build()).inject({ url, headers });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBe(tools);
    expect(answer.headers['access-control-expose-headers']).toContain('X-Request-Id');
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });

  it.each(['https://tools.example.evil', 'http://tools.example', 'null'])(
    'a page of %s may not',
    async (origin) => {
      const answer = await (await build()).inject({
        url: '/jobs',
        headers: { ...local, ...authorization, origin },
      });
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      expect(answer.statusCode).toBe(apiKeys.length === 0 ? 403 : 200);
    },
  );
});

describe('a refusal', () => {
  it('for want of a key can be read by the page', async () => {
    const app = await appWith({ apiKeys: [key], corsOrigins: [tools] });
    const answer = await app.inject({ url: '/jobs', headers: { ...local, origin: tools } });
    expect(answer.json()).toMatchObject({ status: 401 });
    expect(answer.headers['access-control-allow-origin']).toBe(tools);
  });
});
