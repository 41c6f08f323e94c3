/** What holds for every view: for those who use a keyboard or a screen reader, on a phone, at once and without a network. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { draw, mouse, surface, untilItReads } from './drawing.ts';
import { phone, type Stage, wide } from './stage.ts';

const views = ['draw', 'train', 'models'] as const;
const firstLoadAtMost = 150_000; // bytes as sent
const interactiveWithinMs = 1000;
const loads = 5;
const shiftAtMost = 0.05; // https://web.dev/articles/cls calls 0.1 good

export function describeRules(stage: () => Stage): void {
  describe('every view', () => {
    let axe: string;
    beforeAll(async () => {
      axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    });

    const looks = views.flatMap((view) =>
      (['light', 'dark'] as const).flatMap((colorScheme) =>
        [wide, phone].map((viewport) => ({ view, colorScheme, viewport })),
      ),
    );
    it.each(looks)(
      'is accessible and fits: $view, $colorScheme, $viewport.width pixels wide',
      async ({ view, colorScheme, viewport }) => {
        const page = await stage().open(`#${view}`, { colorScheme, viewport });
        await untilFilled(page, view);
        const { violations } = await runAxe(page, axe);
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual(
          [],
        );
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width);
        expect(await page.evaluate(() => globalThis.layoutShift)).toBeLessThan(shiftAtMost);
      },
    );

    it('stays where it is while an answer comes', async () => {
      const page = await stage().open();
      await draw(page, mouse(page));
      await untilItReads(page, 7);
      expect(await page.evaluate(() => globalThis.layoutShift)).toBeLessThan(shiftAtMost);
    });

    it('is there at once, in few bytes, from this server alone', async () => {
      const page = await stage().open();
      const times: number[] = [];
      let bytes = 0;
      const browser = await page.context().newCDPSession(page);
      await browser.send('Network.enable');
      await browser.send('Network.setCacheDisabled', { cacheDisabled: true });
      browser.on('Network.loadingFinished', ({ encodedDataLength }) => {
        bytes += encodedDataLength;
      });
      for (let load = 1; load <= loads; load++) {
        bytes = 0;
        await page.reload();
        await surface(page).click();
        await page.getByRole('button', { name: 'Clear', disabled: false }).waitFor();
        times.push(await page.evaluate(() => performance.now()));
        await page.waitForLoadState('networkidle');
      }
      const median = times.toSorted((a, b) => a - b)[loads >> 1]!;
      console.log(
        `the page: ${(bytes / 1000).toFixed(1)} kB at the first load, interactive after ${median.toFixed(0)} ms (${times.map((ms) => ms.toFixed(0)).join(', ')})`,
      );
      expect(bytes).toBeGreaterThan(10_000);
      expect(bytes).toBeLessThan(firstLoadAtMost);
      expect(median).toBeLessThan(interactiveWithinMs);
    });
  });

  describe('the keyboard alone', () => {
    it('reads a digit, starts a training and cancels it', async () => {
      const page = await stage().open();
      await tabTo(page, 'button', 'Try a test image');
      await page.keyboard.press('Enter');
      await untilItReads(page, /^It reads \d/);
      expect(await focused(page)).toMatchObject({ name: 'Try a test image' });
      await page.keyboard.press('Shift+Tab'); // and back to the top, by the link that skips what is there
      await tabTo(page, 'link', 'Train', 'Shift+Tab');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'Train' }).waitFor();
      await tabTo(page, 'summary', 'More settings');
      await page.keyboard.press('Space');
      await tabTo(page, 'input', 'Epochs');
      await page.keyboard.press('Control+a');
      await page.keyboard.type('1000');
      await tabTo(page, 'button', 'Start training');
      await page.keyboard.press('Enter');
      await page.getByRole('progressbar', { name: 'Training progress' }).waitFor();
      await tabTo(page, 'button', 'Cancel');
      await page.keyboard.press('Enter');
      await page.getByRole('main').getByText('cancelled').first().waitFor();
      expect((await focused(page)).tag).not.toBe('body');
      await stage().cancelAll();
    });
  });
}

/** Resolves when a view shows what it has asked the server for. */
async function untilFilled(page: Page, view: (typeof views)[number]): Promise<void> {
  if (view === 'draw') {
    await page.getByRole('button', { name: 'Try a test image' }).click();
    await untilItReads(page, /^It reads \d/);
  }
  if (view === 'train') await page.getByRole('button', { name: 'Start training' }).waitFor();
  if (view === 'models') await page.getByRole('table').first().waitFor();
  await page.waitForLoadState('networkidle');
}

/** By evaluation: the CSP lets no script tag in. */
async function runAxe(page: Page, axe: string): Promise<AxeResults> {
  await page.evaluate(axe);
  const options: RunOptions = { resultTypes: ['violations'] };
  return page.evaluate((given) => globalThis.axe.run(document, given), options);
}

declare global {
  // eslint-disable-next-line no-var
  var axe: { run(context: Document, options: RunOptions): Promise<AxeResults> };
}

type Focused = { readonly tag: string; readonly name: string; readonly outline: string };

function focused(page: Page): Promise<Focused> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLElement;
    const labels = 'labels' in element ? [...((element as HTMLInputElement).labels ?? [])] : [];
    const name = element.getAttribute('aria-label') ?? labels[0]?.textContent ?? element.textContent ?? '';
    const { outlineStyle, boxShadow } = getComputedStyle(element);
    const seen = outlineStyle !== 'none' || boxShadow !== 'none';
    return { tag: element.tagName.toLowerCase(), name: name.trim(), outline: seen ? 'seen' : 'none' };
  });
}

const tagOf = { link: 'a', button: 'button', summary: 'summary', input: 'input' } as const;
const mostStops = 60;

/** Presses Tab until something of that name has the focus; where it is can be seen at every stop. */
async function tabTo(page: Page, kind: keyof typeof tagOf, name: string, key = 'Tab'): Promise<void> {
  const stops: string[] = [];
  for (let stop = 0; stop < mostStops; stop++) {
    await page.keyboard.press(key);
    const now = await focused(page);
    if (now.tag === 'body') continue; // between the last stop and the first
    stops.push(`${now.tag} ${now.name}`);
    expect(now, 'where the focus is').toMatchObject({ outline: 'seen' });
    if (now.tag === tagOf[kind] && now.name.startsWith(name)) return;
  }
  throw new Error(`expected ${key} to come to ${kind} "${name}", it came to: ${stops.join(', ')}`);
}
