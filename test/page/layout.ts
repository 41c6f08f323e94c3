/** Each view on a phone and on a wide screen: nothing is wider than that or moves by itself, axe-core finds no fault. */
import type { Page } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';
import { violationsOf } from './access.ts';
import { answer, draw, mouse, untilItReads } from './drawing.ts';
import { phone, type Stage, wide } from './stage.ts';
import { manyEpochs } from './train.ts';
import { lastEpoch } from './training.ts';

export const mostShift = 0.01; // Chromium's sum of shares of the screen that move, by shares of it that they move

export function describeLayout(stage: () => Stage): void {
  describe.each([
    ['a phone', phone],
    ['a wide screen', wide],
  ])('on %s', (_, viewport) => {
    afterEach(() => stage().cancelAll());

    it('an answer comes in and nothing moves, nor is anything beyond the edge or has a fault that axe-core finds', async () => {
      const page = await stage().open('', { viewport });
      await draw(page, mouse(page));
      await answer(page)
        .getByText(/^It reads \d/)
        .waitFor();
      await page.getByRole('button', { name: 'Clear' }).click();
      expect(await shift(page)).toBeLessThan(mostShift);
      expect(await overhang(page)).toBeLessThanOrEqual(0);
      await page.getByRole('button', { name: 'Undo' }).click();
      await untilItReads(page, 7);
      expect(await violationsOf(page, [viewport])).toEqual([]);
    });

    it('a job runs and nothing moves, nor is anything beyond the edge or has a fault that axe-core finds', async () => {
      const job = await stage().queue(manyEpochs);
      const page = await stage().open(`#train/${job.id}`, { viewport });
      await expect.poll(() => lastEpoch(page)).toBeGreaterThan(1);
      expect(await shift(page)).toBeLessThan(mostShift);
      expect(await overhang(page)).toBeLessThanOrEqual(0);
      await page.getByText('More settings').click();
      expect(await overhang(page)).toBeLessThanOrEqual(0);
      expect(await violationsOf(page, [viewport])).toEqual([]);
    });

    it('a model is shown and nothing moves, nor is anything beyond the edge or has a fault that axe-core finds', async () => {
      const page = await stage().open('#models/1', { viewport });
      await page.getByRole('region', { name: 'Misread images' }).locator('img').first().waitFor();
      expect(await shift(page)).toBeLessThan(mostShift);
      expect(await overhang(page)).toBeLessThanOrEqual(0);
      expect(await violationsOf(page, [viewport])).toEqual([]);
    });
  });
}

export function shift(page: Page): Promise<number> {
  return page.evaluate(() => globalThis.layoutShift);
}

/** Pixels that one would have to scroll sideways. */
export function overhang(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}
