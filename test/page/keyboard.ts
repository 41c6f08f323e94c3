/** The main path without a mouse: what has the focus can be seen, and the focus is never lost. */
import type { Page } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';
import { untilItReads } from './drawing.ts';
import type { Stage } from './stage.ts';
import { lastStep, run, untilStatus } from './training.ts';

const mostTabs = 60;

export function describeKeyboard(stage: () => Stage): void {
  describe('the keyboard alone', () => {
    afterEach(() => stage().cancelAll());

    it('reads a test image, takes it back, and opens it anew', async () => {
      const page = await stage().open();
      await tabTo(page, 'Try a test image');
      await page.keyboard.press('Enter');
      await untilItReads(page, /^It reads \d, /); // any test image, also one that may be no digit
      await expectFocus(page, 'Try a test image');
      await tabTo(page, 'Clear', 'Shift+Tab');
      await page.keyboard.press('Space');
      await page.getByText('Draw a digit here').waitFor();
      await expectFocus(page, 'Clear');
      await tabTo(page, 'Undo', 'Shift+Tab');
      await page.keyboard.press('Space');
      await page.getByText(/^This is test image/).waitFor();
      await page.keyboard.press('Space');
      await page.getByText('Draw a digit here').waitFor();
      expect(await focused(page)).toMatchObject({ name: 'Undo', isVisible: true });
    });

    it('starts a training with settings of its own, and cancels it', async () => {
      const page = await stage().open();
      await page.keyboard.press('Tab');
      await expectFocus(page, 'Skip to content');
      await tabTo(page, 'Train');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'Train' }).waitFor();
      await expectFocus(page, 'Train'); // the heading
      await tabTo(page, 'Recipe');
      await page.keyboard.press('ArrowDown');
      await page.getByRole('combobox', { name: 'Recipe' }).and(page.locator(':focus')).waitFor();
      expect(await page.getByRole('combobox', { name: 'Recipe' }).inputValue()).toBe('default');
      await tabTo(page, 'More settings');
      await page.keyboard.press('Enter');
      for (const [name, value] of [
        ['Epochs', '500'],
        ['Training images', '1000'],
        ['Test images', '100'],
      ] as const) {
        await tabTo(page, name);
        await page.keyboard.press('Control+a');
        await page.keyboard.type(value);
      }
      await tabTo(page, 'Start training');
      await page.keyboard.press('Enter');
      await untilStatus(page, 'running');
      await expectFocus(page, 'Start training');
      await expect.poll(() => lastStep(page)).toBeGreaterThan(0);
      await tabTo(page, 'Cancel');
      await page.keyboard.press('Space');
      await untilStatus(page, 'cancelled');
      await run(page).getByRole('button').waitFor({ state: 'detached' });
      expect(await focused(page)).toMatchObject({ isLost: false, isVisible: true });
    });

    it('looks at what a model misreads', async () => {
      const page = await stage().open();
      await tabTo(page, 'Models');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'Models' }).waitFor();
      await tabTo(page, /^Version \d/);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 2, name: /^Version \d/ }).waitFor();
      await tabTo(page, /^\d read as \d: \d+$/);
      await page.keyboard.press('Enter');
      await tabTo(page, 'Show all');
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Show all' }).waitFor({ state: 'detached' });
      expect(await focused(page)).toMatchObject({ isLost: false, isVisible: true });
    });
  });
}

/** Presses Tab until that has the focus; on the way each that has it must show it. */
async function tabTo(page: Page, name: string | RegExp, press = 'Tab'): Promise<void> {
  const passed: string[] = [];
  for (let tabs = 0; tabs < mostTabs; tabs++) {
    await page.keyboard.press(press);
    const now = await focused(page);
    expect(now.isLost || now.isVisible, `the focus on "${now.name}" is seen`).toBe(true);
    if (isNamed(now, name)) return;
    passed.push(now.name);
  }
  throw new Error(`expected ${String(name)} among what ${press} comes to, got ${passed.join(', ')}`);
}

async function expectFocus(page: Page, name: string): Promise<void> {
  const now = await focused(page);
  expect(now).toMatchObject({ name, isLost: false, isVisible: true });
}

function isNamed({ name }: Focus, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? name === wanted : wanted.test(name);
}

type Focus = { readonly name: string; readonly isLost: boolean; readonly isVisible: boolean };

/** A heading needs no outline: it takes no keys, and has the focus for what is read next. */
function focused(page: Page): Promise<Focus> {
  return page.evaluate(async () => {
    // What is disabled or gone loses the focus with the next frame.
    for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
    const element = document.activeElement ?? document.body;
    const labels =
      element instanceof HTMLInputElement || element instanceof HTMLSelectElement ? element.labels : null;
    const name = element.getAttribute('aria-label') ?? labels?.[0]?.textContent ?? element.textContent ?? '';
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const isOutlined = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 1;
    return {
      name: name.trim().replaceAll(/\s+/g, ' '),
      isLost: element === document.body,
      isVisible: isOutlined || element.tagName === 'H1',
    };
  });
}
