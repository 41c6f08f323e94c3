/** What stands before the protocols (keys, origins, the rate limit) refuses in their words as well: clients read `error`. */
import type { FastifyInstance, InjectOptions } from 'fastify';
import { expect, it } from 'vitest';
import { buildQuietApp } from '../quiet-app.ts';

const apiKeys = ['a-key-of-some-length'];
const authorized = { authorization: `Bearer ${apiKeys[0]}` };
const requests: readonly (InjectOptions & { url: string })[] = [
  { url: '/v2' },
  { url: '/v2/models/mnist' },
  { url: '/v2/models/mnist/ready' },
  { url: '/v2/models/mnist/versions/1' },
  { url: '/v2/repository/index', method: 'POST' },
  { url: '/v2/models/mnist/infer', method: 'POST', payload: '{' },
  { url: '/v2/models/mnist/config' },
  { url: '/v1/models/mnist' },
  { url: '/v1/models/mnist/metadata' },
  { url: '/v1/models/mnist/versions/1' },
  { url: '/v1/models/mnist:predict', method: 'POST', payload: '{' },
  { url: '/v1/models/mnist/labels/champion:classify', method: 'POST' },
  { url: '/v1/nope' },
];

const aProtocolProblem = {
  'application/problem+json': { schema: { $ref: '#/components/schemas/ProtocolProblem' } },
};

async function refusalsOf(app: FastifyInstance, headers: Record<string, string>) {
  return Promise.all(
    requests.map(async (request) => {
      const response = await app.inject({ ...request, headers });
      expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      const { status, code, detail, error } = response.json();
      expect(error, request.url).toBe(detail);
      return { status, code, error, headers: response.headers };
    }),
  );
}

it('is documented as a problem with `error`', async () => {
  const app = await buildQuietApp({ access: { apiKeys, requestsPerMinute: 1 } });
  const { paths } = app.swagger() as unknown as {
    paths: Record<string, Record<string, { responses: object }>>;
  };
  const documented = Object.keys(paths).filter((path) => /^\/v[12]\/models/.test(path));
  expect(documented).toHaveLength(8);
  for (const path of documented)
    for (const { responses } of Object.values(paths[path]!))
      expect(responses, path).toMatchObject({
        401: { content: aProtocolProblem },
        429: { content: aProtocolProblem },
      });
});

it('says what is wrong with a key', async () => {
  const app = await buildQuietApp({ access: { apiKeys } });
  for (const [headers, came] of [
    [{}, 'none'],
    [{ authorization: 'Bearer another-key' }, 'a key that is not one of them'],
  ] as const)
    for (const refusal of await refusalsOf(app, headers)) {
      expect(refusal).toMatchObject({ status: 401, code: 'UNAUTHORIZED' });
      expect(refusal.error).toBe(
        `expected the header "Authorization: Bearer KEY" with a key of API_KEY, got ${came}`,
      );
      expect(refusal.headers['www-authenticate']).toMatch(/^Bearer realm="trainyard"/);
    }
});

it('says how many requests a minute there may be, and when to come back', async () => {
  const app = await buildQuietApp({ access: { apiKeys, requestsPerMinute: 1 } });
  await app.inject({ url: '/v2', headers: authorized });
  for (const refusal of await refusalsOf(app, authorized)) {
    expect(refusal).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    expect(refusal.error).toMatch(
      /^expected at most 1 requests a minute with one key, got more; send the next in/,
    );
    expect(Number(refusal.headers['retry-after'])).toBeGreaterThan(0);
  }
});

it('says that it answers only this machine', async () => {
  const app = await buildQuietApp();
  for (const refusal of await refusalsOf(app, { host: 'trainyard.example' })) {
    expect(refusal).toMatchObject({ status: 403, code: 'OTHER_SITE' });
    expect(refusal.error).toMatch(/^expected a request to a loopback address/);
  }
});

it('says what a path takes, and which paths there are not', async () => {
  const app = await buildQuietApp();
  for (const [method, url, status] of [
    ['POST', '/v1/models/mnist:regress', 404],
    ['POST', '/v1/models/mnist/versions/1:nope', 404],
    ['GET', '/v1/models/mnist:predict', 405],
    ['DELETE', '/v2', 405],
    ['GET', '/v2/models/mnist/infer', 405],
    ['PUT', '/v2/models/mnist/versions/1/ready', 405],
    ['GET', '/v1', 404],
    ['GET', '/v1/', 404],
    ['GET', '/v1/nope', 404],
    ['GET', '/v2/nope', 404],
    ['POST', '/v2/models/mnist/load', 404],
  ] as const) {
    const answer = await app.inject({ method, url });
    const { detail, error } = answer.json();
    expect([url, answer.statusCode, error]).toEqual([url, status, detail]);
    expect(error, url).toMatch(/^expected/);
  }
});
