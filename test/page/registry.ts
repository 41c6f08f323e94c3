/** Which version answers, seen and changed through the page: promotion, rollback, history, two versions side by side. */
import type { Locator, Page } from 'playwright-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { trainToEnd } from '../../harness/service.ts';
import type { Evaluation, Model, ModelComparison } from '../../src/client/index.ts';
import { violationsOf } from './access.ts';
import { mostShift, overhang, shift } from './layout.ts';
import { describeSecondReader } from './second-reader.ts';
import { phone, pollMs, type Stage } from './stage.ts';
import { manyEpochs } from './train.ts';

/** Enough for half of the digits, so that the gate keeps the version back. */
const poorTraining = {
  promote: 'unless-worse',
  ...manyEpochs,
  epochs: 1,
  testImages: 1000,
};

export function describeRegistry(stage: () => Stage): void {
  describe('which version answers', () => {
    let poor: number; // the version that the gate kept back
    let comparison: ModelComparison; // with version 1
    const get = async <T>(path: string) => (await (await fetch(`${stage().address}${path}`)).json()) as T;

    beforeAll(async () => {
      poor = (await trainToEnd(stage().address, poorTraining)).modelVersion!;
      comparison = await get(`/models/${poor}/comparison/1`);
    });
    afterEach(() => moveChampion(stage(), 1));

    it('a version is promoted after the gate’s numbers were shown, and rolled back; its badge moves', async () => {
      const page = await stage().open(`#models/${poor}`);
      await row(page, 1).getByText('serving').waitFor();
      await page.getByRole('button', { name: 'Promote' }).click();
      const dialog = page.getByRole('dialog', { name: `Promote version ${poor}` });
      await dialog.getByText(`Version ${poor} then answers, in place of version 1.`).waitFor();
      expect(await numbersIn(dialog)).toEqual(await gateNumbers(poor, 1));
      expect(await dialog.innerText()).toContain('On the first 1,000 test images; p < 0.001');
      await dialog.getByRole('status').getByText('in place of version 1').waitFor();
      const described = await dialog.getAttribute('aria-describedby');
      expect(await dialog.locator(`#${described}`).innerText()).toContain('in place of version 1');
      await dialog.getByRole('textbox', { name: 'Reason' }).fill('to see it fail');
      await dialog.getByRole('button', { name: 'Promote' }).click();
      await dialog.waitFor({ state: 'hidden' });
      await row(page, poor).getByText('serving').waitFor();
      expect(await row(page, 1).getByText('serving').count()).toBe(0);
      expect(await championNow()).toMatchObject({ version: poor, reason: 'to see it fail' });
      const back = page.getByRole('button', { name: 'Roll back' });
      await back.and(page.locator(':focus')).waitFor();

      await back.click();
      const backDialog = page.getByRole('dialog', { name: 'Roll back' });
      await backDialog.getByText(`Version 1 then answers again, in place of version ${poor}.`).waitFor();
      expect(await numbersIn(backDialog)).toEqual(await gateNumbers(1, poor));
      await backDialog.getByRole('button', { name: 'Roll back' }).click();
      await row(page, 1).getByText('serving').waitFor();
      expect(await championNow()).toMatchObject({ version: 1, reason: '' });
      await page.getByRole('button', { name: 'Promote' }).and(page.locator(':focus')).waitFor();
    });

    it('Escape changes nothing and gives the focus back', async () => {
      const page = await stage().open(`#models/${poor}`);
      const promote = page.getByRole('button', { name: 'Promote' });
      await promote.focus();
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog', { name: `Promote version ${poor}` });
      await dialog.getByRole('textbox', { name: 'Reason' }).and(page.locator(':focus')).waitFor();
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'hidden' });
      await promote.and(page.locator(':focus')).waitFor();
      expect(await championNow()).toMatchObject({ version: 1 });
    });

    it('a change that somebody else made meanwhile is said, and shown', async () => {
      const page = await stage().open(`#models/${poor}`, { mayFail: /412/ });
      await page.getByRole('button', { name: 'Promote' }).click();
      const dialog = page.getByRole('dialog', { name: `Promote version ${poor}` });
      await dialog.getByText(`Version ${poor} then answers, in place of version 1.`).waitFor();
      await moveChampion(stage(), poor);
      await dialog.getByRole('button', { name: 'Promote' }).click();
      await dialog.getByRole('alert').getByText('somebody else has changed this model meanwhile').waitFor();
      await dialog.getByText(`Version ${poor} is champion already.`).waitFor();
      const button = dialog.getByRole('button', { name: 'Promote' });
      expect(await button.getAttribute('aria-disabled')).toBe('true');
    });

    it('versions that can’t be compared are said to be so, and one is promoted all the same', async () => {
      const page = await stage().open('', { mayFail: /409/ });
      await page.route('**/comparison/*', (route) => {
        const detail = 'expected a version with the results of its test, model 1 was published without';
        return route.fulfill({ status: 409, json: { status: 409, code: 'NOT_COMPARABLE', detail } });
      });
      await page.evaluate((hash) => (location.hash = hash), `#models/${poor}/with/1`);
      for (const version of [1, poor])
        await page.getByRole('heading', { name: `Only version ${version}: –` }).waitFor();
      await page.getByRole('button', { name: 'Promote' }).click();
      const dialog = page.getByRole('dialog', { name: `Promote version ${poor}` });
      await dialog.getByText('These versions can’t be compared: Expected a version with').waitFor();
      await dialog.getByRole('rowheader', { name: 'Accuracy, each on its own test images' }).waitFor();
      await dialog.getByRole('button', { name: 'Promote' }).click();
      await row(page, poor).getByText('serving').waitFor();
    });

    it('the champion is the first row and is opened, where twenty newer versions were kept back', async () => {
      const page = await stage().open();
      await page.route(/\/models\?/, async (route) => {
        const response = await route.fetch();
        const { data } = (await response.json()) as { data: Model[] };
        const rejected = { ...data[0], served: false, aliases: [] };
        const newer = Array.from({ length: 20 }, (_, index) => ({ ...rejected, version: 1020 - index }));
        await route.fulfill({ response, json: { data: newer, hasMore: true } });
      });
      await page.evaluate(() => (location.hash = '#models'));
      const rows = page.getByRole('region', { name: 'Versions' }).getByRole('listitem');
      await rows.first().getByText('serving').waitFor();
      expect(await rows.first().innerText()).toMatch(/^Version 1(?!\d)/);
      expect(await rows.count()).toBe(21);
      await page.getByRole('heading', { level: 2, name: 'Version 1' }).waitFor();
    });

    it('an alias that points to a version is a badge of it, with its share of the traffic', async () => {
      const path = '/registry/mnist/aliases/challenger';
      await call(stage(), 'PUT', path, { version: poor });
      const page = await stage().open('#models', { hasClock: true });
      await row(page, poor).getByText('challenger').waitFor();
      expect(await row(page, 1).locator('.badge').allInnerTexts()).toEqual(['serving']);
      await call(stage(), 'PUT', '/registry/mnist/traffic', { champion: 90, challenger: 10 });
      await page.clock.fastForward(pollMs);
      await row(page, poor).getByText('challenger 10\u202f%').waitFor();
      await row(page, 1).getByText('serving 90\u202f%').waitFor();
      await call(stage(), 'PUT', '/registry/mnist/traffic', { champion: 100 });
      await call(stage(), 'DELETE', path);
      await page.clock.fastForward(pollMs);
      await row(page, poor).getByText('challenger').waitFor({ state: 'detached' });
    });

    it('the confirmation has no fault that axe-core finds, and fits a phone', async () => {
      const page = await stage().open(`#models/${poor}`, { viewport: phone });
      await page.getByRole('button', { name: 'Promote' }).click();
      await page
        .getByRole('dialog')
        .getByText(/p < 0.001/)
        .waitFor();
      const { width } = (await page.getByRole('dialog').boundingBox())!;
      expect(width).toBeLessThanOrEqual(phone.width);
      expect(await page.getByRole('dialog').evaluate((each) => each.scrollWidth - each.clientWidth)).toBe(0);
      expect(await violationsOf(page)).toEqual([]);
    });

    it('every decision is in the history in words, with who made it, why and when', async () => {
      const page = await stage().open('#models', { hasClock: true });
      const decisions = page.getByRole('region', { name: 'Decisions' }).getByRole('row');
      const [keptRow, firstRow] = [`${poor} kept back: `, 'champion is 1'].map((name) =>
        decisions.filter({ has: page.getByRole('rowheader', { name }) }),
      );
      const { jobId, metrics } = await get<Model>(`/models/${poor}`);
      const of = (share: number) => `${(100 * share).toFixed(2)} %`;
      const best = (await get<Model>('/models/1')).metrics.testAccuracy;
      const kept = plain(await keptRow!.innerText());
      expect(kept).toContain(`${poor} kept back: ${of(metrics.testAccuracy)} against ${of(best)}`);
      expect(kept).toContain('Significantly worse than model 1');
      await keptRow!.getByRole('link', { name: `job ${jobId.slice(-8)}` }).waitFor();
      expect(await firstRow!.innerText()).toContain('The first version of this model.');
      await call(stage(), 'PUT', '/registry/mnist/aliases/champion', { version: poor, reason: 'by hand' });
      await page.clock.fastForward(pollMs);
      const moved = decisions.nth(1); // under the head
      await moved.getByRole('rowheader', { name: `champion 1 → ${poor}` }).waitFor();
      expect(await moved.innerText()).toMatch(/just now[\s\S]*127\.0\.0\.1[\s\S]*By hand\./);
    });

    it('two versions stand side by side: both matrices, and what only one of them reads right', async () => {
      const page = await stage().open(`#models/${poor}`);
      await page.getByRole('combobox', { name: 'Compare with' }).selectOption('1');
      const matrices = page.getByRole('region', { name: 'Confusion matrices' }).getByRole('table');
      await expect.poll(() => matrices.count()).toBe(2);
      for (const [index, version] of [poor, 1].entries()) {
        const { confusion } = await get<Evaluation>(`/models/${version}/evaluation`);
        const rows = await matrices.nth(index).locator('tbody tr').all();
        const cells = await Promise.all(rows.map((each) => each.getByRole('cell').allInnerTexts()));
        expect(cells.map((texts) => texts.slice(0, 10).map(Number))).toEqual(confusion);
      }
      const groups = [
        { version: poor, indexes: comparison.onlyVersion },
        { version: 1, indexes: comparison.onlyOther },
      ];
      for (const { version, indexes } of groups) {
        const group = page.getByRole('group', { name: `Only version ${version} reads them right` });
        await group.getByRole('heading', { name: `Only version ${version}: ${indexes.length}` }).waitFor();
        const shown = async () => (await group.getByRole('listitem').allInnerTexts()).map(numberIn);
        await expect.poll(shown).toEqual(indexes.slice(0, 24));
        const more = group.getByRole('button', { name: /^Show \d+ more$/ });
        expect(await more.count()).toBe(indexes.length > 24 ? 1 : 0);
        if (indexes.length <= 24) continue;
        await more.click();
        await expect.poll(shown).toEqual(indexes.slice(0, 72));
        await expect.poll(() => sidesOfImages(group)).toEqual(indexes.slice(0, 72).map(() => 28));
      }
      expect(await page.evaluate(() => location.hash)).toBe(`#models/${poor}/with/1`);
      expect(await page.getByRole('region', { name: 'Misread images' }).count()).toBe(0);
      await page.getByRole('group', { name: 'Only version 1 reads' }).getByRole('link').first().click();
      await page.getByText(`This is test image ${comparison.onlyOther[0]}, labelled`).waitFor();
    });

    it('a comparison has no fault that axe-core finds, fits a phone, and nothing in it moves', async () => {
      const page = await stage().open(`#models/${poor}/with/1`, { viewport: phone });
      const images = page.getByRole('region', { name: 'Read right by only one of them' }).locator('img');
      await images.first().waitFor();
      expect(await shift(page)).toBeLessThan(mostShift);
      expect(await overhang(page)).toBeLessThanOrEqual(0);
      expect(await violationsOf(page)).toEqual([]);
      await page.getByRole('combobox', { name: 'Compare with' }).selectOption('');
      await page.getByRole('region', { name: 'Misread images' }).waitFor();
    });

    describeSecondReader(stage, () => ({ poor, onlyFirst: comparison.onlyOther[0]! }));

    const championNow = () => get<{ version: number; reason: string }>('/registry/mnist/aliases/champion');

    /** As the table shows them: a row of the accuracies, and one of the images that only one version reads right. */
    async function gateNumbers(version: number, champion: number): Promise<string[][]> {
      const accuracyOf = async (of: number) => {
        const { metrics } = await get<Model>(`/models/${of}`);
        return `${(100 * metrics.testAccuracy).toFixed(2)} %`;
      };
      const only = { [poor]: comparison.onlyVersion.length, 1: comparison.onlyOther.length };
      expect(only[1]).toBeGreaterThan(only[poor]!);
      return [
        [await accuracyOf(version), await accuracyOf(champion)],
        [String(only[version]), String(only[champion])],
      ];
    }
  });
}

function row(page: Page, version: number): Locator {
  const rows = page.getByRole('region', { name: 'Versions' }).getByRole('listitem');
  return rows.filter({ hasText: new RegExp(`Version ${version}(?!\\d)`) });
}

async function numbersIn(dialog: Locator): Promise<string[][]> {
  const rows = await dialog.getByRole('table').locator('tbody tr').all();
  const texts = await Promise.all(rows.map((each) => each.getByRole('cell').allInnerTexts()));
  return texts.map((cells) => cells.map(plain));
}

/** Narrow and unbreakable spaces as plain ones. */
function plain(text: string): string {
  return text.replace(/\s/g, ' ');
}

const numberIn = (text: string) => Number(/\d+/.exec(text)![0]);

function sidesOfImages(place: Locator): Promise<number[]> {
  return place
    .locator('img')
    .evaluateAll((images: HTMLImageElement[]) => images.map(({ naturalWidth }) => naturalWidth));
}

function moveChampion(stage: Stage, version: number): Promise<void> {
  return call(stage, 'PUT', '/registry/mnist/aliases/champion', { version });
}

async function call({ address }: Stage, method: string, path: string, body?: object): Promise<void> {
  const sent = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`${address}${path}`, { method, ...sent });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
}
