/** A server with API_KEY: the page asks for the key, and keeps it to this tab and out of every address. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violationsOf } from './access.ts';
import { type Stage, startKeyedServer } from './stage.ts';

const key = 'a-key-of-some-length';

export function describeKey(stage: () => Stage): void {
  describe('a server with API_KEY', () => {
    let server: { address: string; close(): Promise<void> };
    beforeAll(async () => {
      server = await startKeyedServer(stage(), key);
    });
    afterAll(() => server?.close());

    it('is asked with the key that was typed, in this tab only and never in an address', async () => {
      const page = await stage().open('#models/1', {
        address: server.address,
        mayFail: /401 \(Unauthorized\)/,
      });
      const urls: string[] = [];
      page.context().on('request', (request) => urls.push(request.url()));
      const dialog = page.getByRole('dialog', { name: 'Sign in' });
      const field = dialog.getByLabel('API key');
      await field.fill('another-key-of-some-length');
      await page.keyboard.press('Enter');
      await dialog.getByRole('alert').getByText('The server does not take that key.').waitFor();
      await page.keyboard.press('Escape');
      await field.fill(key);
      await dialog.getByRole('button', { name: 'Use this key' }).click();
      await page.getByRole('heading', { level: 2, name: 'Version 1' }).waitFor();
      await dialog.waitFor({ state: 'hidden' });
      const pictures = page.getByRole('region', { name: 'Misread images' }).locator('img');
      await pictures.first().waitFor();

      await page.reload();
      await page.getByRole('heading', { level: 2, name: 'Version 1' }).waitFor();
      expect(await dialog.isVisible()).toBe(false);

      const tab = await page.context().newPage();
      await tab.goto(`${server.address}/#models`);
      await tab.getByRole('dialog', { name: 'Sign in' }).waitFor();
      expect(
        await tab.evaluate(() => JSON.stringify([Object.entries(localStorage), document.cookie])),
      ).not.toContain(key);
      expect(urls.length).toBeGreaterThan(5);
      expect(urls.filter((url) => url.includes(key))).toEqual([]);
    });

    it('is asked for a key in a dialog in which axe-core finds nothing serious', async () => {
      const page = await stage().open('#models', { address: server.address, mayFail: /401/ });
      await page.getByRole('dialog', { name: 'Sign in' }).waitFor();
      expect(await violationsOf(page)).toEqual([]);
    });
  });
}
