/** The view of data sets: an archive is brought, imported, trained on and deleted. */
import { Buffer } from 'node:buffer';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { makeZip } from '../../harness/zip.ts';
import { digitPng, pictures, twoLabels } from '../model/data/import/importing.ts';
import { violationsOf } from './access.ts';
import { mostShift, overhang, shift } from './layout.ts';
import { phone, type Stage, wide } from './stage.ts';

const archive = makeZip([
  ...twoLabels(20),
  { name: 'a/notes.png', data: Buffer.from('text') },
  { name: 'b/same.png', data: digitPng(20) },
]);

export function describeDatasets(stage: () => Stage): void {
  describe('Data sets', () => {
    it('takes an archive that is dropped, shows its import and report, and leads to a training on it', async () => {
      const page = await stage().open('#datasets');
      await dropArchive(page, join(stage().dataDir, 'Two Labels.zip'));
      expect(await page.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('two-labels');
      const followed = page.waitForRequest(/\/datasets\/two-labels\/events$/);
      await page.getByRole('button', { name: 'Import', exact: true }).click();
      await followed;
      const place = page.locator('.dataset-place');
      await place.getByRole('heading', { level: 2, name: 'two-labels' }).waitFor();
      await place.getByText('Ready', { exact: true }).waitFor();
      await place.getByText('40 pictures accepted, 1 left out as duplicates, 1 refused.').waitFor();
      await place.getByText(/^Taken as (?:ink|pictures as they are): of 41 that were looked at/).waitFor();
      await place.getByRole('rowheader', { name: 'a/notes.png' }).waitFor();
      const duplicates = place.getByRole('region', { name: 'Duplicates' });
      await duplicates.getByRole('row', { name: 'b/same.png b/0.png' }).waitFor();
      const samples = place.getByRole('img', { name: /^Nine test images of two-labels/ });
      await expect
        .poll(() => samples.evaluate((image: HTMLImageElement) => image.naturalWidth))
        .toBeGreaterThan(28);
      expect(await place.getByRole('row', { name: 'b 16 4' }).count()).toBe(1);

      await place.getByRole('link', { name: 'Train' }).click();
      const form = page.getByRole('region', { name: 'New training' });
      await form.getByText(/^Small: /).waitFor();
      expect(await form.getByRole('combobox', { name: 'Data set' }).inputValue()).toBe('two-labels');
      expect(await form.getByRole('textbox', { name: 'Model' }).getAttribute('placeholder')).toBe(
        'two-labels',
      );
    });

    it('says what the server refuses, before and after the upload', async () => {
      const page = await stage().open('#datasets', { mayFail: /400|409|415/ });
      await chooseArchive(page, archive);
      await page.getByRole('textbox', { name: 'Name' }).fill('mnist');
      await page.getByRole('button', { name: 'Import', exact: true }).click();
      await page.getByRole('alert').getByText('VALIDATION_FAILED').waitFor();
      await chooseArchive(page, Buffer.from('no archive'));
      await page.getByRole('textbox', { name: 'Name' }).fill('wrong');
      await page.getByRole('button', { name: 'Import', exact: true }).click();
      await page.getByRole('alert').getByText('ARCHIVE_TYPE_UNKNOWN').waitFor();
      await chooseArchive(page, makeZip(pictures('a', 3)));
      await page.getByRole('textbox', { name: 'Name' }).fill('wrong');
      await page.getByRole('button', { name: 'Import', exact: true }).click();
      await page.getByText('The import failed.').waitFor();
      await page.getByRole('alert').getByText('DATASET_LABELS').waitFor();
    });

    it.each([
      ['a phone', phone],
      ['a wide screen', wide],
    ])('on %s moves nothing, reaches no edge and has no fault that axe-core finds', async (_, viewport) => {
      const page = await stage().open('#datasets/two-labels', { viewport });
      await page.getByRole('img', { name: /^Nine test images/ }).waitFor();
      expect(await shift(page)).toBeLessThan(mostShift);
      expect(await overhang(page)).toBeLessThanOrEqual(0);
      expect(await violationsOf(page, [viewport])).toEqual([]);
    });

    it('has the data set that is open in sight among many', async () => {
      const names = Array.from({ length: 12 }, (_, i) => `one-of-many-${10 + i}`);
      const body = new Uint8Array(makeZip([]));
      const url = `${stage().address}/datasets`;
      for (const name of names) await fetch(`${url}?name=${name}`, { method: 'POST', body });
      const page = await stage().open(`#datasets/${names.at(-1)}`);
      const list = page.getByRole('region', { name: 'Data sets here' }).getByRole('list');
      const open = list.locator('[data-open="true"]');
      await open.getByText(names.at(-1)!).waitFor();
      const [outer, inner] = [(await list.boundingBox())!, (await open.boundingBox())!];
      expect(inner.y).toBeGreaterThanOrEqual(outer.y);
      expect(inner.y + inner.height).toBeLessThanOrEqual(outer.y + outer.height + 1);
      expect(await page.evaluate('scrollY')).toBe(0);
      for (const name of names) await fetch(`${url}/${name}`, { method: 'DELETE' });
    });

    it('deletes a data set after a question, which Escape answers with no', async () => {
      const page = await stage().open('#datasets/two-labels');
      const list = page.getByRole('region', { name: 'Data sets here' });
      const remove = page.getByRole('button', { name: 'Delete', exact: true });
      await remove.click();
      const dialog = page.getByRole('dialog', { name: 'Delete: two-labels' });
      await dialog.waitFor();
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'hidden' });
      await list.getByText('two-labels').waitFor();
      await remove.click();
      await dialog.getByRole('button', { name: 'Delete' }).click();
      await list.getByText('two-labels').waitFor({ state: 'detached' });
      await page.getByRole('heading', { level: 2, name: 'mnist' }).waitFor();
      expect((await fetch(`${stage().address}/datasets/two-labels`)).status).toBe(404);
    });
  });
}

async function chooseArchive(page: Page, buffer: Buffer): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose a file' }).click();
  await (await chooser).setFiles({ name: 'archive.zip', mimeType: 'application/zip', buffer });
}

async function dropArchive(page: Page, path: string): Promise<void> {
  await writeFile(path, archive);
  const { x, y, width, height } = (await page.locator('.drop-place').boundingBox())!;
  const browser = await page.context().newCDPSession(page);
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    const data = { items: [], files: [path], dragOperationsMask: 1 };
    await browser.send('Input.dispatchDragEvent', { type, x: x + width / 2, y: y + height / 2, data });
  }
}
