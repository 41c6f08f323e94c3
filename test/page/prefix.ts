/** Behind a proxy that strips a path: the page, /docs and the board find their own base. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer } from './drawing.ts';
import type { Stage } from './stage.ts';

export function describePrefix(stage: () => Stage): void {
  const job = '/admin/queues/queue/train'; // a page of the board
  describe.each([
    { prefix: '/tools/trainyard', docs: '/docs', board: ['/admin/queues', job] },
    { prefix: '/a/b/c', docs: '/docs/', board: ['/admin/queues/', job] },
  ])('below $prefix', ({ prefix, docs, board }) => {
    let proxy: { address: string; close(): Promise<void> };
    beforeAll(async () => {
      proxy = await startProxy(stage().address, prefix);
    });
    afterAll(() => proxy.close());
    const below = () => `${proxy.address}${prefix}`;

    it('the page reads a test image and leads to /docs, which shows the API and calls it', async () => {
      const page = await stage().open('#draw/test/0', { address: below() });
      await answer(page)
        .getByText(/^It reads \d/)
        .waitFor();
      await page.getByRole('link', { name: /API/ }).first().click();
      await page.waitForURL(`${below()}/docs`, { waitUntil: 'commit' });
      if (docs !== '/docs') await page.goto(`${below()}${docs}`);
      await page.locator('#operations-health-getLiveness .opblock-summary-control').click();
      await page.getByRole('button', { name: 'Execute' }).click();
      const asked = page.locator('.request-url');
      await asked.waitFor();
      expect(await asked.innerText()).toContain(`${below()}/health/live`);
      await page.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor();
    });

    it('the board shows the queue, also when a page below it is loaded anew', async () => {
      const page = await stage().open('', { address: below(), mayFail: /the page shows/ });
      for (const path of board) {
        await page.goto(`${below()}${path}`);
        await page.getByText('train', { exact: true }).first().waitFor();
        const { pathname } = new URL(page.url());
        expect(pathname.startsWith(`${prefix}/admin/queues`)).toBe(true);
      }
    });
  });
}

/** Passes on what is asked below the prefix, without it; everything else is 404. */
async function startProxy(target: string, prefix: string) {
  const passOn = (request: IncomingMessage, response: ServerResponse) => {
    const { url = '/', method, headers } = request;
    const passed = send(`${target}${url.slice(prefix.length)}`, { method, headers }, (answered) => {
      response.writeHead(answered.statusCode!, answered.headers);
      answered.pipe(response);
    });
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  };
  const server = createServer((request, response) => {
    if (request.url?.startsWith(`${prefix}/`)) passOn(request, response);
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { address: `http://127.0.0.1:${port}`, close };
}
