/** The first view: draw, drop, paste or open a picture, and read what the network makes of it. */
import { Buffer } from 'node:buffer';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  answer,
  draw,
  finger,
  input,
  mouse,
  type Pointer,
  pen,
  readDigit,
  surface,
  untilItReads,
} from './drawing.ts';
import type { Stage } from './stage.ts';

export function describeDraw(stage: () => Stage): void {
  describe('Draw', () => {
    let picture: Buffer; // test image 0, a 7
    beforeAll(async () => {
      picture = Buffer.from(
        await (await fetch(`${stage().address}/datasets/mnist/test/0.png`)).arrayBuffer(),
      );
    });

    it('reads a 7 that a mouse draws stroke by stroke, and says it in ten bars', async () => {
      const page = await stage().open();
      await draw(page, mouse(page));
      await untilItReads(page, 7);
      const bars = page.getByRole('list', { name: 'Probability of each digit' }).getByRole('listitem');
      const shares = (await bars.allInnerTexts()).map((text) => /^(\d)\s+([\d.]+)\s%$/.exec(text)!);
      expect(shares.map(([, digit]) => Number(digit))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      const percents = shares.map(([, , share]) => Number(share));
      expect(percents.reduce((sum, each) => sum + each)).toBeCloseTo(100, 0);
      expect(percents.indexOf(Math.max(...percents))).toBe(7);
      expect(
        await answer(page)
          .getByRole('link', { name: /^version \d+$/ })
          .count(),
      ).toBe(1);
    });

    it('reads a line of digits while that is wanted, with a box around each', async () => {
      const page = await stage().open();
      await page.locator('input[type=file]').setInputFiles({
        name: 'two.png',
        mimeType: 'image/png',
        buffer: await twice(picture),
      });
      await answer(page).getByText('Expected one character, saw several').waitFor();
      const toggle = page.getByRole('button', { name: 'Read as a line of digits' });
      expect(await page.locator('.line-boxes rect').count()).toBe(0);
      await toggle.click();
      await answer(page)
        .locator('.line-text strong')
        .filter({ hasText: /^\d\d$/ })
        .waitFor();
      expect(await page.locator('.line-boxes rect').count()).toBe(2);
      await toggle.click();
      await page.locator('.line-boxes').waitFor({ state: 'detached' });
      expect(await answer(page).locator('.line-text').count()).toBe(0);
    });

    it.each<[string, (page: Page) => Promise<Pointer>]>([
      ['a finger', finger],
      ['a pen', pen],
    ])('reads a 7 drawn by %s', async (_, by) => {
      const page = await stage().open('', { hasTouch: true });
      await draw(page, await by(page));
      await untilItReads(page, 7);
    });

    it('asks once at a time while a line grows, and then for the whole of it', async () => {
      const page = await stage().open();
      let letGo = () => {};
      const whileDrawn = new Promise<void>((resolve) => (letGo = resolve));
      let asked = 0;
      await page.route('**/predict?*', async (route) => {
        asked++;
        await whileDrawn;
        await route.continue();
      });
      await draw(page, mouse(page));
      expect(asked).toBe(1);
      letGo();
      await untilItReads(page, 7);
      expect(asked).toBe(2);
    });

    it('takes strokes back, and clears the sheet, which can be taken back as well', async () => {
      const page = await stage().open();
      const [undo, clear] = [
        page.getByRole('button', { name: 'Undo' }),
        page.getByRole('button', { name: 'Clear' }),
      ];
      const empty = page.getByText('Draw a digit here');
      await draw(page, mouse(page));
      await untilItReads(page, 7);
      const both = await pixels(page);
      await clear.click();
      await empty.waitFor();
      expect(await input(page).count()).toBe(0);
      await undo.click();
      await untilItReads(page, 7);
      expect(await pixels(page)).toBe(both);
      await undo.click();
      await expect.poll(() => pixels(page)).not.toBe(both);
      await page.keyboard.press('Control+z');
      await empty.waitFor();
      await page.getByText('No answer yet').waitFor();
    });

    it('says nothing of an error before anything is drawn, and draws a dot with a tap', async () => {
      const page = await stage().open();
      expect(await page.getByRole('alert').allInnerTexts()).toEqual([]);
      const said = (await page.getByRole('status').allInnerTexts()).join('').trim();
      expect(said).toBe('Or drop or paste a picture here.');
      await surface(page).click();
      expect(await pixels(page)).toMatch(/^data:image\/png;base64,/);
    });

    it('shows the very pixels that the network saw of a picture that is opened', async () => {
      const page = await stage().open();
      await open(page, { name: 'seven.png', mimeType: 'image/png', buffer: picture });
      await untilItReads(page, 7);
      await page.getByText('This is seven.png. Draw over it to start anew.').waitFor();
      const shown = await input(page).evaluate((image: HTMLImageElement) => [
        image.naturalWidth,
        image.naturalHeight,
      ]);
      expect(shown).toEqual([28, 28]);
      const response = await fetch(`${stage().address}/predict?include=input`, {
        method: 'POST',
        headers: { 'content-type': 'image/png' },
        body: new Uint8Array(picture),
      });
      const prediction = (await response.json()) as { input: string };
      expect(await pixels(page)).toBe(`data:image/png;base64,${prediction.input}`);
    });

    it('takes a picture that is dropped', async () => {
      const page = await stage().open();
      const path = join(stage().dataDir, 'dropped.png');
      await writeFile(path, picture);
      const { x, y, width, height } = (await surface(page).boundingBox())!;
      const browser = await page.context().newCDPSession(page);
      for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
        const data = { items: [], files: [path], dragOperationsMask: 1 };
        await browser.send('Input.dispatchDragEvent', { type, x: x + width / 2, y: y + height / 2, data });
      }
      await page.getByText('This is dropped.png.').waitFor();
      expect(await readDigit(page)).toBe(7);
    });

    it('takes a picture that is pasted', async () => {
      const page = await stage().open('', { permissions: ['clipboard-read', 'clipboard-write'] });
      await page.evaluate(async (base64) => {
        const bytes = Uint8Array.from(atob(base64), (character) => character.codePointAt(0)!);
        const image = new Blob([bytes], { type: 'image/png' });
        await navigator.clipboard.write([new ClipboardItem({ 'image/png': image })]);
      }, picture.toString('base64'));
      await page.keyboard.press('Control+v');
      await page.getByText(/^This is /).waitFor();
      expect(await readDigit(page)).toBe(7);
    });

    it('says what is wrong with a file that is no picture, and goes on', async () => {
      const page = await stage().open();
      await open(page, { name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
      await page
        .getByRole('status')
        .getByText('“notes.png” is no picture that this browser can open')
        .waitFor();
      await draw(page, mouse(page));
      await untilItReads(page, 7);
      expect(await page.getByText('notes.png').count()).toBe(0);
    });

    it('says calmly that a white sheet has nothing to read, and the detail of what the server refuses', async () => {
      const page = await stage().open('', { mayFail: /400|413|415|422/ });
      const white = await sharp({ create: { width: 40, height: 40, channels: 3, background: 'white' } })
        .png()
        .toBuffer();
      await open(page, { name: 'white.png', mimeType: 'image/png', buffer: white });
      await page.getByText('Nothing stands out from the background yet.').waitFor();
      const problem = {
        code: 'BODY_TOO_LARGE',
        detail: 'expected at most 10 MiB, got more; send a smaller picture',
      };
      await page.route('**/predict?*', (route) =>
        route.fulfill({
          status: 413,
          contentType: 'application/problem+json',
          body: JSON.stringify(problem),
        }),
      );
      await page.getByRole('button', { name: 'Undo' }).click();
      await draw(page, mouse(page));
      await page
        .getByText('Expected at most 10 MiB, got more; send a smaller picture. BODY_TOO_LARGE')
        .waitFor();
      expect(await input(page).count()).toBe(0);
    });
  });
}

async function open(page: Page, file: { name: string; mimeType: string; buffer: Buffer }): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Open a picture' }).click();
  await (await chooser).setFiles(file);
}

function pixels(page: Page): Promise<string | null> {
  return input(page).getAttribute('src');
}

/** A digit, white on black, twice in one picture, with a gap. */
async function twice(digit: Buffer): Promise<Buffer> {
  const large = await sharp(digit).resize(200, 200).toBuffer();
  return sharp({ create: { width: 460, height: 240, channels: 3, background: 'black' } })
    .composite([
      { input: large, left: 10, top: 20 },
      { input: large, left: 250, top: 20 },
    ])
    .png()
    .toBuffer();
}
