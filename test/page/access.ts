/** What axe-core can tell of a view: names, roles, contrast, in light and dark, on a phone and on a wide screen. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';
import { phone, wide } from './stage.ts';

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The rules of axe-core whose results depend on the colour scheme. */
const aboutColours = ['color-contrast', 'link-in-text-block'];

/** Impact "moderate", which is not counted; it takes a third of the time of all rules. */
const uncounted = { region: { enabled: false } };

/** Rows of a large confusion matrix that are like those above and below them: axe-core takes seconds for all cells. */
export const rowsAlike = '.confusion tbody tr:nth-child(n + 6):nth-last-child(n + 3)';

/**
 * Lists what axe-core finds on the page as it is: by all rules in light colours, by those about colours in dark ones.
 *
 * @param leftOut a selector of elements that are like others, too many to look at each; removed from the page
 */
export async function violationsOf(
  page: Page,
  viewports = [wide, phone],
  leftOut: string | null = null,
): Promise<string[]> {
  const found: string[] = [];
  if (leftOut !== null)
    await page.locator(leftOut).evaluateAll((all) => all.forEach((each) => each.remove()));
  await page.evaluate(source);
  for (const viewport of viewports) {
    await page.setViewportSize(viewport);
    for (const [colorScheme, rules] of [
      ['light', null],
      ['dark', aboutColours],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      for (const each of await serious(page, rules))
        found.push(`${viewport.width} px, ${colorScheme}: ${each}`);
    }
  }
  return found;
}

async function serious(page: Page, rules: readonly string[] | null): Promise<string[]> {
  const options: RunOptions = {
    resultTypes: ['violations'],
    selectors: false,
    rules: uncounted,
    ...(rules && { runOnly: { type: 'rule', values: [...rules] } }),
  };
  const { violations } = await page.evaluate(
    (given) =>
      (globalThis as unknown as { axe: { run(options: RunOptions): Promise<AxeResults> } }).axe.run(given),
    options,
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, impact, nodes }) =>
        `${impact} ${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`,
    );
}
