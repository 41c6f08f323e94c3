/** A model whose labels are no digits, beside one of digits: all views speak of its labels, and take its pictures. */
import { Buffer } from 'node:buffer';
import type { Page } from 'playwright-core';

import { beforeAll, describe, expect, it } from 'vitest';
import { trainToEnd } from '../../harness/service.ts';
import type { Evaluation, Prediction } from '../../src/client/index.ts';
import { importZip } from '../model/data/import/importing.ts';
import { rowsAlike, violationsOf } from './access.ts';
import { answer } from './drawing.ts';
import { mostShift, overhang, shift } from './layout.ts';
import { signPictures } from './signs.ts';
import { phone, type Stage, wide } from './stage.ts';

/** Enough to tell most places of the square. */
const training = {
  dataset: 'signs',
  promote: 'unless-worse',
  epochs: 1,
  passes: 6,
  patience: null,
  batchSize: 16,
  calibrationImages: 0,
};

export function describeLabels(stage: () => Stage): void {
  describe('a model of other labels', () => {
    let version: number;
    let evaluation: Evaluation;
    beforeAll(async () => {
      const { outcome } = await importZip(signPictures(20), { name: 'signs', dataDir: stage().dataDir });
      expect(outcome.ok).toBe(true);
      version = (await trainToEnd(stage().address, training)).modelVersion!;
      const path = `${stage().address}/models/${version}/evaluation`;
      evaluation = (await (await fetch(path)).json()) as Evaluation;
    });

    it('is chosen in Draw, and still is when the page is loaded anew or comes back from another view', async () => {
      const page = await stage().open();
      await page.getByRole('heading', { level: 1, name: 'Draw a digit' }).waitFor();
      await page.getByRole('combobox', { name: 'Model' }).selectOption('signs');
      const heading = page.getByRole('heading', { level: 1, name: 'Show a picture' });
      await heading.waitFor();
      await page.getByText('Drop a picture here', { exact: true }).waitFor();
      expect(await page.getByRole('button', { name: /line/ }).count()).toBe(0);
      await page.reload();
      await heading.waitFor();
      await page.getByRole('link', { name: 'Train', exact: true }).click();
      await page.getByRole('link', { name: 'Draw', exact: true }).click();
      await heading.waitFor();
      expect(new URL(page.url()).hash).toBe('#draw/model/signs');
    });

    it('answers with its likeliest labels', async () => {
      const page = await stage().open('#draw/model/signs');
      const prediction = await showPicture(page, 0);
      expect(prediction.model).toMatchObject({ name: 'signs', version });
      const bars = page.getByRole('list', { name: /likeliest labels/ }).getByRole('listitem');
      expect(await bars.count()).toBe(10);
      const labels = await page.locator('.bars-label').allInnerTexts();
      expect(labels).toEqual(prediction.top!.map(({ label }) => label));
      await answer(page).getByText(`It reads ${prediction.label}, `).waitFor();
    });

    it('says which pictures it was trained on, and reads a test image of them again', async () => {
      const { sha256 } = (await (await fetch(`${stage().address}/datasets/signs`)).json()) as {
        sha256: string;
      };
      const page = await stage().open(`#models/${version}`);
      await page.getByTitle(`SHA-256 ${sha256}`).waitFor();
      const misread = page.getByRole('region', { name: 'Misread images' });
      const { index, label } = evaluation.misread[0]!;
      await misread.getByRole('link').first().click();
      const name = evaluation.labels![label]!;
      await page.getByText(`This is test image ${index}, labelled ${name}.`).waitFor();
      expect(new URL(page.url()).hash).toBe(`#draw/model/signs/dataset/signs/test/${index}`);
      expect(await page.getByRole('combobox', { name: 'Model' }).inputValue()).toBe('signs');
    });

    it('is corrected by one of its labels, which a part of it finds', async () => {
      const page = await stage().open('#draw/model/signs');
      await showPicture(page, 1);
      await page.getByRole('button', { name: 'That’s wrong' }).click();
      const group = page.getByRole('group', { name: 'What it shows' });
      expect(await group.getByRole('button').count()).toBe(21);
      await group.getByRole('textbox', { name: 'Find a label' }).fill('o');
      await group.getByRole('button', { name: 'Ö', exact: true }).click();
      await page.getByText('Kept as Ö.').waitFor();
      const { data } = (await (await fetch(`${stage().address}/corrections?model=signs`)).json()) as {
        data: { label: string }[];
      };
      expect(data.map(({ label }) => label)).toEqual(['Ö']);
    });

    it('lists its versions alone, and leads the arrow keys through its confusion matrix', async () => {
      const page = await stage().open('#models');
      const versions = page.getByRole('region', { name: 'Versions' });
      await versions.getByRole('combobox', { name: 'Versions of' }).selectOption('signs');
      await page.getByRole('heading', { level: 2, name: `Version ${version}` }).waitFor();
      await expect.poll(() => versions.getByRole('listitem').count()).toBe(1);
      const wrong = page.getByRole('button', { name: /^.+ read as .+: \d+$/ });
      const cells = evaluation.confusion!.flatMap((row, label) =>
        row.filter((images, digit) => digit !== label && images > 0),
      );
      await expect.poll(() => wrong.count()).toBe(cells.length);
      expect(await page.locator('.confusion [tabindex="0"]').count()).toBe(1);
      await page.locator('.confusion [tabindex="0"]').focus();
      await page.keyboard.press('ArrowDown');
      const focused = page.locator('.confusion :focus');
      const name = await focused.getAttribute('aria-label');
      expect(await focused.getAttribute('data-row')).not.toBe('0');
      await page.keyboard.press('Enter');
      const misread = page.getByRole('region', { name: 'Misread images' });
      await misread.getByText(`${name!.replace(/: \d+$/, '')}.`).waitFor();
    });

    it.each([
      ['a phone', phone],
      ['a wide screen', wide],
    ])('moves nothing on %s, reaches no edge and has no fault that axe-core finds', async (_, viewport) => {
      const page = await stage().open('#draw/model/signs', { viewport });
      await showPicture(page, 0);
      await page.evaluate(() => (globalThis.layoutShift = 0)); // the model was not known at first
      for (const index of [1, 2, 3]) await showPicture(page, index);
      expect(await shift(page)).toBeLessThan(mostShift);
      expect(await overhang(page)).toBeLessThanOrEqual(0);
      expect(await violationsOf(page, [viewport])).toEqual([]);

      const models = await stage().open(`#models/${version}`, { viewport });
      await models.getByRole('table', { name: /Rows: what the image shows/ }).waitFor();
      await models.getByRole('region', { name: 'Misread images' }).locator('img').first().waitFor();
      expect(await shift(models)).toBeLessThan(mostShift);
      expect(await overhang(models)).toBeLessThanOrEqual(0);
      expect(await violationsOf(models, [viewport], rowsAlike)).toEqual([]);
    });
  });
}

/** Has the model read the picture of that number; resolves with what the server answers. */
async function showPicture(page: Page, index: number): Promise<Prediction> {
  const answered = page.waitForResponse((response) => response.url().includes('/predict?'));
  const buffer = Buffer.from(signPictures(1)[index]!.data);
  await page.locator('input[type=file]').setInputFiles({ name: 'sign.png', mimeType: 'image/png', buffer });
  const prediction = (await (await answered).json()) as Prediction;
  await answer(page).getByText(`It reads ${prediction.label}, `).waitFor();
  return prediction;
}
