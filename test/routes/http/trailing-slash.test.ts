import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Parts, startParts } from '../parts.ts';

let parts: Parts;
beforeAll(async () => {
  parts = await startParts();
});
afterAll(() => parts.close());

describe('a slash at the end of a path', () => {
  it('changes nothing, on any path', async () => {
    const { paths } = (await parts.app.inject('/openapi.json')).json<{ paths: Record<string, object> }>();
    const documented = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => [method, path.replaceAll(/\{\w+\}/g, '1')] as const),
    );
    const others = ['/openapi.json', '/docs', '/docs/json', '/admin/queues'].map(
      (url) => ['get', url] as const,
    );
    for (const [method, url] of [...documented, ...others]) {
      const name = url.replace('/datasets/1', '/datasets/mnist');
      const ask = async (path: string) => {
        const { statusCode, headers } = await parts.app.inject({ method: method as 'get', url: path });
        return [statusCode, headers['content-type'], headers['allow']];
      };
      const plain = await ask(name);
      expect(plain[0], name).not.toBe(405);
      expect(await ask(`${name}/`), name).toEqual(plain);
      expect(await ask(`${name}/?`), name).toEqual(plain);
    }
  });

  it('is left out of a query and of what routes are called in metrics', async () => {
    const page = await parts.app.inject('/jobs/?limit=1');
    expect(page.json().data).toHaveLength(1);
    const headers = { 'content-type': 'application/json' };
    const job = await parts.app.inject({
      method: 'POST',
      url: '/jobs/train/',
      headers,
      payload: '{"seed": 3}',
    });
    expect(job.json()).toMatchObject({ request: { seed: 3 } });
    const cancelled = await parts.app.inject({ method: 'POST', url: `/jobs/${job.json().id}/cancel/` });
    expect(cancelled.json()).toMatchObject({ id: job.json().id, status: 'cancelled' });
    const { body } = await parts.app.inject('/metrics/');
    expect(body).toMatch(/route="\/jobs\/:id\/cancel"/);
    expect(body).not.toMatch(/route="[^"]+\/"/);
  });

  it('is one', async () => {
    for (const url of ['/jobs//', '//jobs', '/jobs//train']) {
      expect((await parts.app.inject(url)).statusCode).toBe(404);
    }
  });
});
