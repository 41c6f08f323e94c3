/** What axe-core can tell of each view: names, roles, contrast, in light and dark, on a phone and on a wide screen. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { answer } from './drawing.ts';
import { phone, type Stage, wide } from './stage.ts';

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export function describeAccess(stage: () => Stage): void {
  describe('axe-core finds nothing serious', () => {
    it('in Draw', async () => {
      const page = await stage().open('#draw/test/0');
      await answer(page)
        .getByText(/^It reads \d/)
        .waitFor();
      expect(await violationsOf(page)).toEqual([]);
    });

    it('in Train, with its settings open', async () => {
      const page = await stage().open('#train');
      await page.getByText('More settings').click();
      await page.getByRole('region', { name: /^Job / }).waitFor();
      expect(await violationsOf(page)).toEqual([]);
    });

    it('in Models', async () => {
      const page = await stage().open('#models/1');
      await page.getByRole('region', { name: 'Misread digits' }).locator('img').first().waitFor();
      expect(await violationsOf(page)).toEqual([]);
    });
  });
}

/** Lists what axe-core finds on the page as it is, in both colour schemes and both widths. */
export async function violationsOf(page: Page): Promise<string[]> {
  const found: string[] = [];
  await page.evaluate(source);
  for (const viewport of [wide, phone]) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const each of await serious(page)) found.push(`${viewport.width} px, ${colorScheme}: ${each}`);
    }
  }
  return found;
}

async function serious(page: Page): Promise<string[]> {
  const { violations } = await page.evaluate(() => {
    const options: RunOptions = { resultTypes: ['violations'] };
    return (globalThis as unknown as { axe: { run(options: RunOptions): Promise<AxeResults> } }).axe.run(
      options,
    );
  });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, impact, nodes }) =>
        `${impact} ${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`,
    );
}
