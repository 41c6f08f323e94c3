/** Draw, read by two versions at once. */
import type { Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { createClient, type Prediction, predict } from '../../src/client/index.ts';
import { percent } from '../../web/src/ui/format.ts';
import { violationsOf } from './access.ts';
import { answer, draw, mouse, untilItReads } from './drawing.ts';
import { mostShift, overhang, shift } from './layout.ts';
import { phone, type Stage, wide } from './stage.ts';

/** @param versions the version that is not champion, and a test image that only version 1, the champion, reads right */
export function describeSecondReader(
  stage: () => Stage,
  versions: () => { poor: number; onlyFirst: number },
): void {
  describe('a drawing', () => {
    it('is read by two versions, side by side, from when a second one is wanted until it is not', async () => {
      const { poor, onlyFirst } = versions();
      const [right, wrong] = [await readBy(1, onlyFirst), await readBy(poor, onlyFirst)];
      expect(right.label).not.toBe(wrong.label);
      const page = await stage().open();
      const asked: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      await page.evaluate((hash) => (location.hash = hash), `#draw/test/${onlyFirst}`);
      await untilItReads(page, right.digit!);
      const toggle = page.getByRole('button', { name: 'Read by a second version, too' });
      expect(await toggle.getAttribute('aria-pressed')).toBe('false');
      expect(asked.filter((url) => url.includes('version='))).toEqual([]);

      await toggle.click();
      const second = page.getByRole('group', { name: 'Second version' });
      const select = second.getByRole('combobox', { name: 'Second version' });
      await select.selectOption(String(poor));
      await second.getByText(`Version ${poor} reads ${wrong.label}, `).waitFor();
      expect(await said(second)).toEqual(asSaid(wrong));
      expect(await said(page.getByRole('group', { name: 'Version 1', exact: true }))).toEqual(asSaid(right));
      await select.selectOption('1');
      await second.getByText(`Version 1 reads ${right.label}, `).waitFor();
      expect(await said(second)).toEqual(asSaid(right));

      await toggle.click();
      await second.waitFor({ state: 'detached' });
      const before = asked.length;
      await draw(page, mouse(page));
      await untilItReads(page, 7);
      expect(asked.slice(before).filter((url) => url.includes('version='))).toEqual([]);
    });

    it.each([
      ['a phone', phone],
      ['a wide screen', wide],
    ])(
      'that two versions read on %s moves nothing, reaches no edge and has no fault that axe-core finds',
      async (_, viewport) => {
        const page = await stage().open('', { viewport });
        await page.getByRole('button', { name: 'Read by a second version, too' }).click();
        await page.getByRole('option', { name: /serving/ }).waitFor({ state: 'attached' });
        await page.evaluate(() => (globalThis.layoutShift = 0)); // what the click opened
        await page.evaluate(() => scrollTo(0, 0));
        await draw(page, mouse(page));
        await page
          .getByRole('group', { name: 'Second version' })
          .getByText(/^Version \d+ reads \d/)
          .waitFor();
        await untilItReads(page, 7);
        await page.getByRole('button', { name: 'Clear' }).click();
        expect(await shift(page)).toBeLessThan(mostShift);
        expect(await overhang(page)).toBeLessThanOrEqual(0);
        await page.getByRole('button', { name: 'Undo' }).click();
        await answer(page)
          .getByText(/^It reads 7/)
          .waitFor();
        expect(await violationsOf(page, [viewport])).toEqual([]);
      },
    );

    it('is read by the champion even where the second version is gone', async () => {
      const page = await stage().open('', { mayFail: /404/ });
      await page.route('**/models?*', async (route) => {
        const response = await route.fetch();
        const { data, hasMore } = (await response.json()) as { data: object[]; hasMore: boolean };
        await route.fulfill({
          response,
          json: { data: [{ ...data[0], version: 9999, served: false }], hasMore },
        });
      });
      await page.getByRole('button', { name: 'Read by a second version, too' }).click();
      await draw(page, mouse(page));
      await untilItReads(page, 7);
      await answer(page).getByRole('status').getByText('MODEL_NOT_FOUND').waitFor();
    });

    async function readBy(version: number, index: number): Promise<Prediction> {
      const { address } = stage();
      const image = await (await fetch(`${address}/datasets/mnist/test/${index}.png`)).blob();
      return predict(createClient({ baseUrl: address }), image, { version });
    }
  });
}

/** The digit, how sure, and the ten bars. */
async function said(group: Locator) {
  const shares = await group.getByRole('listitem').allInnerTexts();
  const [digit, sure] = await group.locator('.reader-answer > *').allInnerTexts();
  return { digit, sure: plain(sure!), shares: shares.map((text) => plain(text.split('\n').at(-1)!)) };
}

function asSaid({ digit, confidence, probabilities, verdict }: Prediction) {
  const inWords = `${verdict === 'unsure' ? 'only ' : ''}${plain(percent(confidence))} sure`;
  const sure = verdict === 'unknown' ? 'probably no digit' : inWords;
  return { digit: String(digit), sure, shares: probabilities.map((share) => plain(percent(share))) };
}

function plain(text: string): string {
  return text.replace(/\s/g, ' ');
}
