/**
 * `npm run screenshots`: starts a service of its own, trains, draws, and writes docs/images/VIEW-FORM.png. What they show
 * is what the page shows: nothing is made up for them.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { launchChromium } from '../harness/chromium.ts';
import { drawCharacters } from '../harness/drawn-characters.ts';
import { importArchive } from '../harness/import-archive.ts';
import { startService, trainToEnd } from '../harness/service.ts';
import { makeZip } from '../harness/zip.ts';

const target = join(import.meta.dirname, '../docs/images');
const forms = {
  wide: { viewport: { width: 1280, height: 832 }, colorScheme: 'light' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'light', deviceScaleFactor: 2 },
  dark: { viewport: { width: 1280, height: 832 }, colorScheme: 'dark' },
} as const;

/** A seven, in parts of the drawing area's side. */
const seven = [
  [0.27, 0.24],
  [0.5, 0.22],
  [0.72, 0.23],
  [0.62, 0.42],
  [0.5, 0.64],
  [0.43, 0.82],
] as const;

const patienceMs = 300_000;
const short = { trainImages: 12_000, epochs: 6 };
const dataDir = await mkdtemp(join(tmpdir(), 'trainyard-screenshots-'));
await mkdir(target, { recursive: true });
const launched = await launchChromium();
if (!launched.ok) throw new Error(`no screenshots without a Chromium: ${launched.reason}`);
const service = await startService(dataDir);
const { browser } = launched;
try {
  await service.printed('model 1: ', patienceMs);
  await forEachForm(browser, 'draw', drawSeven);
  const before = await trainToEnd(service.address, { ...short, learningRate: 0.0005 }, patienceMs);
  await queueTraining();
  await forEachForm(browser, 'train', async (page) => {
    await compareWith(page, before.id);
    await page.locator('h1').scrollIntoViewIfNeeded();
    await show(page, { wideHeight: 832, phoneTop: 360 }); // the run
    await page.getByText(/^[3-6] of 6$/).waitFor({ timeout: patienceMs });
  });
  await forEachForm(browser, `models/${before.epochs[1]!.modelVersion}`, async (page) => {
    await page.locator('.misread img').nth(23).waitFor();
    await show(page, { wideHeight: 1320, phoneTop: 690 }); // the matrix and the digits
  });
  await importLetters();
  await forEachForm(browser, 'datasets/letters', async (page) => {
    await page.getByRole('table').last().waitFor();
    await show(page, { wideHeight: 1100, phoneTop: 690 }); // the report and the samples
  });
} finally {
  await browser.close();
  await service.end();
  await rm(dataDir, { recursive: true });
}

/** All forms at once: a training does not wait. */
async function forEachForm(shown: Browser, route: string, act: (page: Page) => Promise<void>): Promise<void> {
  const work = Object.entries(forms).map(async ([form, options]) => {
    const page = await shown.newPage({ ...options, reducedMotion: 'reduce' });
    await page.goto(`${service.address}/#${route}`);
    await act(page);
    await page.mouse.move(0, 0);
    const file = join(target, `${route.split('/')[0]}-${form}.png`);
    await writeFile(
      file,
      await sharp(await page.screenshot())
        .png({ palette: true, effort: 10 })
        .toBuffer(),
    );
    console.log(file);
    await page.close();
  });
  await Promise.all(work);
}

async function drawSeven(page: Page): Promise<void> {
  const { x, y, width, height } = (await page.locator('canvas').boundingBox())!;
  const [first, ...others] = seven.map(([left, top]) => [x + left * width, y + top * height] as const);
  await page.mouse.move(...first!);
  await page.mouse.down();
  for (const point of others) await page.mouse.move(...point, { steps: 5 });
  await page.mouse.up();
  await page.getByText(/^It reads 7/).waitFor({ state: 'attached' });
}

async function compareWith(page: Page, id: string): Promise<void> {
  await page.getByRole('checkbox', { name: `Show the curves of job ${id.slice(-8)}` }).check();
}

async function importLetters(): Promise<void> {
  const labels = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ');
  const pictures = await drawCharacters({ labels, perLabel: 40, testShare: 0.2, seed: 1 });
  const zip = makeZip(pictures.map(({ path, png }) => ({ name: path, data: png })));
  await importArchive(service.address, 'letters', zip, patienceMs);
}

/** On a wide screen as much as there is to see, on a phone what is further down. */
async function show(
  page: Page,
  { wideHeight, phoneTop }: { wideHeight: number; phoneTop: number },
): Promise<void> {
  const { width } = page.viewportSize()!;
  if (width > 500) await page.setViewportSize({ width, height: wideHeight });
  else await page.mouse.wheel(0, phoneTop);
}

async function queueTraining(): Promise<void> {
  const response = await fetch(`${service.address}/jobs/train`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(short),
  });
  if (!response.ok) throw new Error(`expected a job, got ${response.status}: ${await response.text()}`);
}
