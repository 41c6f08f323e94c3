/** How much the page weighs as it is sent, and how soon it can be drawn on. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { startOwnTime } from '../jobs/until.ts';
import { drawStroke, mouse, seven } from './drawing.ts';
import type { Stage } from './stage.ts';

const mostBytes = 150_000; // of the first load
const mostMs = 1000; // until a stroke is drawn, the median of `loads`
const loads = 3;

declare global {
  var answeredAtMs: number | undefined;
}

export function describeBudget(stage: () => Stage): void {
  describe('the first load', () => {
    it(`weighs less than ${mostBytes / 1000} kB as it is sent`, async () => {
      const sizes = await inNewContext(stage(), async (page) => {
        const bytes = await countBytes(page);
        await page.goto(`${stage().address}/`, { waitUntil: 'networkidle' });
        const first = bytes();
        for (const view of ['Train', 'Models']) {
          await page.getByRole('link', { name: view, exact: true }).click();
          await page.getByRole('heading', { level: 1, name: view }).waitFor();
        }
        return { first, all: bytes() };
      });
      console.log(`first load: ${kilobytes(sizes.first)} kB; all views: ${kilobytes(sizes.all)} kB`);
      expect(sizes.first).toBeGreaterThan(5000);
      expect(sizes.first).toBeLessThan(mostBytes);
    });

    it(`can be drawn on in less than ${mostMs} ms`, async () => {
      const times: number[] = [];
      for (let load = 0; load < loads; load++) times.push(await msUntilDrawn(stage()));
      const median = times.toSorted((a, b) => a - b)[Math.floor(loads / 2)]!;
      console.log(
        `drawn on after ${times.map((ms) => ms.toFixed(0)).join(', ')} ms; median ${median.toFixed(0)} ms`,
      );
      expect(median).toBeLessThan(mostMs);
    });
  });
}

/** Headers and bodies as they cross the wire, of all answers from now on. */
async function countBytes(page: Page): Promise<() => number> {
  let sum = 0;
  const browser = await page.context().newCDPSession(page);
  browser.on('Network.loadingFinished', ({ encodedDataLength }) => {
    sum += encodedDataLength;
  });
  await browser.send('Network.enable');
  return () => sum;
}

/** From the start of the navigation to the page's answer to a stroke; time in which the machine was busy does not count. */
function msUntilDrawn(stage: Stage): Promise<number> {
  return inNewContext(stage, async (page) => {
    await page.addInitScript(noteAnswer);
    const time = startOwnTime();
    await page.goto(`${stage.address}/`, { waitUntil: 'commit' });
    await drawStroke(page, mouse(page), seven[0]!);
    const read = await page.waitForFunction(() => globalThis.answeredAtMs);
    const ownMs = time.ms();
    time.stop();
    return Math.min((await read.jsonValue())!, ownMs);
  });
}

/** With nothing in the cache. */
async function inNewContext<T>({ browser }: Stage, use: (page: Page) => Promise<T>): Promise<T> {
  const context = await browser.newContext();
  try {
    return await use(await context.newPage());
  } finally {
    await context.close();
  }
}

/** The hint goes with the first point of a stroke. */
function noteAnswer(): void {
  let hasHint = false;
  new MutationObserver(() => {
    const isThere = document.body?.textContent?.includes('Draw a digit here') ?? false;
    if (hasHint && !isThere) globalThis.answeredAtMs ??= performance.now();
    hasHint = isThere;
  }).observe(document, { subtree: true, childList: true });
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}
