/** The confusion matrix of a hundred labels, the most that an evaluation has one for. */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { greyPng } from '../../harness/plain-png.ts';
import { trainToEnd } from '../../harness/service.ts';
import { importZip } from '../model/data/import/importing.ts';
import { rowsAlike, violationsOf } from './access.ts';
import { mostShift, overhang, shift } from './layout.ts';
import { phone, type Stage, wide } from './stage.ts';

const count = 100; // labels
const each = 5; // pictures of each
const labels = Array.from({ length: count }, (_, i) => `label ${String(i).padStart(2, '0')}`);

/** `patience`: without a number, the epoch is published, however few it reads. */
const training = {
  dataset: 'hundred',
  promote: 'never',
  epochs: 1,
  passes: 1,
  patience: null,
  batchSize: 16,
  calibrationImages: 0,
};

export function describeMatrix(stage: () => Stage): void {
  describe('the confusion matrix of a hundred labels', () => {
    let version: number;
    beforeAll(async () => {
      const { outcome } = await importZip(stripes(), { name: 'hundred', dataDir: stage().dataDir });
      expect(outcome.ok).toBe(true);
      version = (await trainToEnd(stage().address, training, 100_000)).modelVersion!;
    });

    it.each([
      ['a phone', phone],
      ['a wide screen', wide],
    ])('scrolls in its place on %s, its labels in sight, and moves nothing', async (_, viewport) => {
      const page = await stage().open(`#models/${version}`, { viewport });
      const table = page.getByRole('table', { name: /Rows: what the image shows/ });
      await table.waitFor();
      await page.getByRole('region', { name: 'Misread images' }).locator('img').first().waitFor();
      expect(await overhang(page)).toBeLessThanOrEqual(0);
      expect(await shift(page)).toBeLessThan(mostShift);
      expect(await labelsOfLast(page)).toEqual(['label 99', 'label 99']);
      expect(await overhang(page)).toBeLessThanOrEqual(0);
      expect(await violationsOf(page, [viewport], rowsAlike)).toEqual([]);
    });

    it('names every cell, row and column', async () => {
      const page = await stage().open(`#models/${version}`);
      const table = page.getByRole('table', { name: /Rows: what the image shows/ });
      await table.waitFor();
      expect(await table.getByRole('columnheader').allInnerTexts()).toEqual([...labels, 'right']);
      expect(await table.getByRole('rowheader').allInnerTexts()).toEqual(labels);
      const titles = await table
        .locator('tbody td:not(.recall)')
        .evaluateAll((cells) => cells.map((cell) => cell.getAttribute('title')?.replace(/: \d+$/, '')));
      const expected = labels.flatMap((shown) =>
        labels.map((read) => (shown === read ? `${shown} read right` : `${shown} read as ${read}`)),
      );
      expect(titles).toEqual(expected);
    });
  });
}

/** Scrolls to the last cell. Returns the labels that are seen then left of it and above it, at the edges of what scrolls. */
function labelsOfLast(page: Page): Promise<(string | null)[]> {
  return page.locator('.confusion tbody tr:last-child td:nth-last-child(2)').evaluate((cell) => {
    const region = cell.closest('.confusion-scroll')!;
    region.scrollIntoView({ block: 'center' });
    region.scrollTo(region.scrollWidth, region.scrollHeight);
    const [cellBox, box] = [cell.getBoundingClientRect(), region.getBoundingClientRect()];
    const titleAt = (x: number, y: number) =>
      cell.ownerDocument.elementFromPoint(x, y)?.closest('th')?.getAttribute('title') ?? null;
    return [
      titleAt(box.left + 8, cellBox.top + cellBox.height / 2),
      titleAt(cellBox.left + cellBox.width / 2, box.top + 8),
    ];
  });
}

/** Pictures whose left and right halves are as bright as the two digits of their label. */
function stripes() {
  return labels.flatMap((label, at) =>
    Array.from({ length: each }, (_, i) => {
      const halves = [Math.floor(at / 10), at % 10].map((digit) => 20 + digit * 24);
      const greys = Uint8Array.from({ length: 784 }, (__, pixel) => halves[pixel % 28 < 14 ? 0 : 1]!);
      greys[0] = i; // no two pictures are the same
      return { name: `${label}/${i}.png`, data: greyPng(greys, 28, 28) };
    }),
  );
}
