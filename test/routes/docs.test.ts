import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildQuietApp } from './quiet-app.ts';

let app: FastifyInstance;
beforeAll(async () => {
  app = await buildQuietApp({ access: { apiKeys: ['a-key-of-some-length'], requestsPerMinute: 1 } });
});

const sourcesOf = (html: string) => [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url!);

describe('/docs', () => {
  it('is given to anyone with all that it loads, from here alone', async () => {
    const page = await app.inject('/docs');
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-type']).toMatch('text/html');
    expect(page.body).toContain('<title>Trainyard API</title>');
    expect(page.body).toContain('<meta name="viewport" content="width=device-width'); // for phones
    const sources = sourcesOf(page.body);
    expect(sources.length).toBeGreaterThan(4);
    for (const url of sources) {
      expect(url).toMatch(/^\.\/docs\/static\//); // relative: a proxy may strip a prefix
      expect((await app.inject(url.slice(1))).statusCode, url).toBe(200);
    }
  });

  it('shows this document, sends it nowhere and keeps no key', async () => {
    const { body } = await app.inject('/docs/static/swagger-initializer.js');
    expect(body).toMatch(/"validatorUrl":null/);
    expect(body).toMatch(/"persistAuthorization":false/);
    const { servers, ...shown } = (await app.inject('/docs/json')).json();
    expect((await app.inject('/openapi.json')).json()).toMatchObject(shown);
    expect(servers).toEqual([{ url: '../' }]);
  });

  it('may load no more than the page', async () => {
    const policyOf = async (url: string) => (await app.inject(url)).headers['content-security-policy'];
    const usual = await policyOf('/openapi.json');
    expect(usual).toMatch(/^default-src 'self';/);
    for (const url of ['/docs', '/docs/static/swagger-ui.css']) expect(await policyOf(url)).toBe(usual);
  });

  it('answers what it has not with a problem', async () => {
    for (const url of ['/docs/static/nope', '/docs/static/..%2findex.js']) {
      const response = await app.inject(url);
      expect(response.json()).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    }
  });
});

describe('the document', () => {
  it('has the version of the package, an introduction, a server and tags that are explained', async () => {
    const { info, servers, tags, paths } = (await app.inject('/openapi.json')).json();
    const root = dirname(createRequire(import.meta.url).resolve('../../package.json'));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect(info).toMatchObject({ title: 'Trainyard', version });
    for (const word of ['POST /jobs/train', 'RFC 9457', 'Bearer KEY'])
      expect(info.description).toContain(word);
    expect(servers).toEqual([{ url: './', description: expect.any(String) }]);
    for (const { description } of tags) expect(description.length).toBeGreaterThan(20);
    expect(Object.keys(paths)).not.toContain('/docs/json');
  });

  it('describes streams and pictures by their types', async () => {
    const { paths } = (await app.inject('/openapi.json')).json();
    const typesOf = (path: string) => Object.keys(paths[path].get.responses['200'].content);
    for (const path of ['/jobs/{id}/events', '/datasets/{name}/events'])
      expect(typesOf(path)).toEqual(['text/event-stream']);
    expect(typesOf('/datasets/{name}/test/{index}.png')).toEqual(['image/png']);
    expect(typesOf('/metrics')).toEqual(['text/plain']);
    expect(paths['/jobs/{id}/events'].get.responses['204'].content).toBeUndefined();
  });
});
