import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import Fastify from 'fastify';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';
import { registerGuard } from '../../src/routes/http/guard.ts';
import { addSecurityHeaders } from '../../src/routes/http/headers.ts';
import { handleError, handleNotFound } from '../../src/routes/http/problem.ts';
import { pageRoutes } from '../../src/routes/page.ts';
import { temporaryDirectory } from '../temporary.ts';
import { openAccess } from './parts.ts';

const html = '<!doctype html><title>Trainyard</title>';
const script = 'export const answer = 42;';

/** The page alone, behind the guard, with a key; `files` is what Vite would have built. */
async function buildPage(files: Record<string, string | Buffer>) {
  const root = await temporaryDirectory();
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), content);
  }
  const app = Fastify();
  app.setErrorHandler(handleError);
  app.setNotFoundHandler(handleNotFound);
  addSecurityHeaders(app);
  await registerGuard(app, { ...openAccess, apiKeys: ['a-key-of-some-length'], requestsPerMinute: 1 });
  await app.register(pageRoutes, { root });
  return app;
}

const built = {
  'index.html': html,
  'assets/index-AbC123_-.js': script,
  'assets/index-AbC123_-.js.br': brotliCompressSync(script),
  'assets/index-AbC123_-.js.gz': gzipSync(script),
  'assets/index-x.css': 'body {}',
  'assets/plus-x.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
};
const asset = '/assets/index-AbC123_-.js';

describe('the page', () => {
  it('is given to anyone, whatever the rate, and asked for again each time', async () => {
    const app = await buildPage(built);
    const response = await app.inject('/');
    expect(response.statusCode).toBe(200);
    expect(response.body).toBe(html);
    expect(response.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringMatching(/^default-src 'self';/),
    });
    const headers = { 'if-none-match': String(response.headers['etag']) };
    const again = await app.inject({ url: '/', headers });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    const head = await app.inject({ method: 'HEAD', url: '/' });
    expect([head.statusCode, head.headers['content-length'], head.body]).toEqual([200, `${html.length}`, '']);
  });

  it('has assets that stay, with their types', async () => {
    const app = await buildPage(built);
    for (const [url, type] of [
      [asset, 'application/javascript; charset=utf-8'],
      ['/assets/index-x.css', 'text/css; charset=utf-8'],
      ['/assets/plus-x.svg', 'image/svg+xml'],
    ] as const) {
      const { statusCode, headers } = await app.inject(url);
      expect([statusCode, headers['content-type']]).toEqual([200, type]);
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    }
  });

  it.each([
    ['br, gzip', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['identity', undefined, (bytes: Buffer) => bytes],
  ])('takes what was compressed when it was built for %s', async (accepted, encoding, decompress) => {
    const app = await buildPage(built);
    const response = await app.inject({ url: asset, headers: { 'accept-encoding': accepted } });
    expect(decompress(response.rawPayload).toString()).toBe(script);
    expect(response.headers['content-encoding']).toBe(encoding);
    expect(response.headers['content-type']).toBe('application/javascript; charset=utf-8');
    expect(response.headers['vary']).toMatch(/accept-encoding/);
  });

  it.each([
    '/assets/index-gone.js',
    '/assets/',
    '/assets/%2e%2e%2findex.html',
    '/assets/x%2f..%2findex-x.css',
  ])('answers %s with a problem', async (url) => {
    const response = await (await buildPage(built)).inject({ url, headers: { 'accept-encoding': 'br' } });
    expect(response.json()).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect(response.headers['content-type']).toMatch('application/problem+json');
    expect(response.headers['cache-control']).toBeUndefined();
  });

  it('says how to build it where it is not built', async () => {
    const problem = (await (await buildPage({})).inject('/')).json();
    expect(problem).toMatchObject({ status: 404, code: 'PAGE_NOT_BUILT' });
    expect(problem.detail).toContain('npm run build');
  });
});

describe('the build of web/', () => {
  it('gives the program in brotli and gzip, too', async () => {
    const outDir = await temporaryDirectory();
    await build({ root: join(import.meta.dirname, '../../web'), build: { outDir }, logLevel: 'error' });
    const assets = await readdir(join(outDir, 'assets'));
    const main = assets.find((name) => /^index-.+\.js$/.test(name))!;
    const content = await readFile(join(outDir, 'assets', main));
    const read = (suffix: string) => readFile(join(outDir, 'assets', `${main}${suffix}`));
    expect(brotliDecompressSync(await read('.br')).equals(content)).toBe(true);
    expect(gunzipSync(await read('.gz')).equals(content)).toBe(true);
  });
});
