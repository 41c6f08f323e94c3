/** The third view: the versions, and what one of them gets wrong. */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { until } from '../jobs/until.ts';
import type { Stage } from './stage.ts';

type Evaluation = {
  confusion: number[][];
  images: number;
  misread: { index: number; label: number; digit: number }[];
  reliability: { ece: number; bins: { images: number }[] };
};
type Model = { version: number; served: boolean; metrics: { testAccuracy: number } };

export function describeModels(stage: () => Stage): void {
  describe('Models', () => {
    let evaluation: Evaluation;
    let models: Model[];
    beforeAll(async () => {
      const get = async (path: string) => (await fetch(`${stage().address}${path}`)).json();
      evaluation = (await get('/models/1/evaluation')) as Evaluation;
      models = await until(
        'the first version to be loaded',
        async () => ((await get('/models?limit=20')) as { data: Model[] }).data,
        (read) => read.some(({ served }) => served),
      );
    });

    it('lists the versions, newest first, and marks the one that answers', async () => {
      const page = await stage().open('#models');
      const rows = page.getByRole('region', { name: 'Versions' }).getByRole('listitem');
      await rows.first().waitFor();
      const shown = (await rows.allInnerTexts()).map(
        (text) => /Version (\d+)[\s\S]*?([\d.]+)\s%/.exec(text)!,
      );
      expect(shown.map(([, version, accuracy]) => [Number(version), Number(accuracy)])).toEqual(
        models.map(({ version, metrics }) => [version, Number((100 * metrics.testAccuracy).toFixed(2))]),
      );
      const served = models.find((model) => model.served)!;
      expect(await rows.filter({ hasText: 'serving' }).count()).toBe(1);
      await rows.filter({ hasText: 'serving' }).getByText(`Version ${served.version}`).waitFor();
      await page.getByRole('heading', { level: 2, name: `Version ${served.version}` }).waitFor();
    });

    it('shows the confusion matrix as a table whose rows sum to the images of their digit, and how far confidences hold', async () => {
      const page = await stage().open('#models/1');
      const matrix = page.getByRole('table', { name: /Rows: what the image shows/ });
      await matrix.waitFor();
      const hidden = await page
        .locator('.confusion-scroll')
        .evaluate((place) => place.scrollHeight - place.clientHeight);
      expect(hidden).toBe(0); // pixels: ten rows need no scrolling
      const rows = matrix.getByRole('row').filter({ has: page.getByRole('rowheader') });
      expect(await rows.count()).toBe(10);
      const shown: number[][] = [];
      for (const row of await rows.all()) {
        const cells = await row.getByRole('cell').allInnerTexts();
        shown.push(cells.slice(0, 10).map(Number));
        const [right, sum] = [shown.at(-1)![shown.length - 1]!, shown.at(-1)!.reduce((a, b) => a + b)];
        expect(Number.parseFloat(cells[10]!)).toBeCloseTo((100 * right) / sum, 1);
      }
      expect(shown).toEqual(evaluation.confusion);
      expect(shown.flat().reduce((a, b) => a + b)).toBe(evaluation.images);
      await expectReliability(page);
    });

    it('shows misread digits as pictures, those of a cell when it is chosen, and reads one again', async () => {
      const page = await stage().open('#models/1');
      const misread = page.getByRole('region', { name: 'Misread images' });
      const links = misread.getByRole('listitem').getByRole('link');
      await links.first().waitFor();
      expect(await links.count()).toBe(Math.min(24, evaluation.misread.length));
      const sides = () =>
        misread
          .locator('img')
          .evaluateAll((images: HTMLImageElement[]) => images.map((each) => each.naturalWidth));
      await expect.poll(sides).toEqual(Array.from({ length: await links.count() }, () => 28));
      const { label, digit } = evaluation.misread[0]!;
      const ofPair = evaluation.misread.filter((each) => each.label === label && each.digit === digit);
      await page.getByRole('button', { name: new RegExp(`^${label} read as ${digit}: \\d+$`) }).click();
      await misread.getByRole('status').getByText(`${label} read as ${digit}.`).waitFor();
      expect(await links.count()).toBe(ofPair.length);
      await links.first().click();
      await page.getByText(`This is test image ${ofPair[0]!.index}, labelled ${label}.`).waitFor();
    });

    /** As a diagram with its error in words. */
    async function expectReliability(page: Page): Promise<void> {
      const confidence = page.getByRole('region', { name: 'Confidence' });
      const diagram = confidence.getByRole('img', { name: /^Accuracy by confidence; off by [\d.]+\s%/ });
      await diagram.waitFor();
      const filled = evaluation.reliability.bins.filter(({ images }) => images > 0);
      expect(await diagram.locator('rect').count()).toBe(filled.length);
      const error = (100 * evaluation.reliability.ece).toFixed(2);
      await confidence.getByRole('definition').filter({ hasText: error }).first().waitFor();
    }

    it('says the detail of a version that is not there', async () => {
      const page = await stage().open('#models/123456', { mayFail: /404/ });
      expect(await page.getByRole('main').getByRole('alert').innerText()).toContain('MODEL_NOT_FOUND');
    });
  });
}
