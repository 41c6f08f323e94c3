/** The button “That’s wrong”, and the fourth view: answers to look at, and corrections. */
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Correction, KeptAnswer, Model } from '../../src/client/index.ts';
import { until } from '../jobs/until.ts';
import { violationsOf } from './access.ts';
import { draw, input, mouse, untilItReads } from './drawing.ts';
import { mostShift, overhang, shift } from './layout.ts';
import { phone, pollMs, type Stage, wide } from './stage.ts';

type List<Entry> = { data: Entry[]; count: number };

export function describeReview(stage: () => Stage): void {
  const get = async <T>(path: string): Promise<T> => (await fetch(`${stage().address}${path}`)).json() as T;
  const corrections = async () => (await get<List<Correction>>('/corrections?limit=100')).data;
  const removeAll = async (path: string, ids: readonly string[]) => {
    for (const id of ids) await fetch(`${stage().address}${path}/${id}`, { method: 'DELETE' });
  };
  const removeAllKept = async () => {
    const { data } = await get<List<KeptAnswer>>('/review?limit=100');
    await removeAll(
      '/review',
      data.map(({ predictionId }) => predictionId),
    );
  };
  beforeEach(async () => {
    await removeAll(
      '/corrections',
      (await corrections()).map(({ id }) => id),
    );
    await removeAllKept();
  });

  describe('an answer that is wrong', () => {
    it('is corrected by what the drawing shows, as the network saw it', async () => {
      const page = await stage().open();
      await drawSeven(page);
      await page.getByRole('button', { name: 'That’s wrong' }).click();
      await choices(page).getByRole('button', { name: '3', exact: true }).click();
      await page.getByText('Kept as 3.').waitFor();
      const [correction] = await corrections();
      expect(correction).toMatchObject({ label: '3', answer: { label: '7', version: 1 } });
      expect(await input(page).getAttribute('src')).toBe(`data:image/png;base64,${correction!.input}`);
    });

    it('can not be corrected to two things, which the page says until the drawing changes', async () => {
      const page = await stage().open('', { mayFail: /409/ });
      await drawSeven(page);
      await page.getByRole('button', { name: 'That’s wrong' }).click();
      await choices(page).getByRole('button', { name: 'None of these' }).click();
      await page.getByText('Kept as none of these.').waitFor();
      await choices(page).getByRole('button', { name: '1', exact: true }).click();
      await page.getByText(/Expected none of the labels, which correction/).waitFor();
      await page.getByRole('button', { name: 'Clear' }).click();
      await page.getByText('What does it show?').waitFor();
      expect((await corrections()).map(({ label }) => label)).toEqual([null]);
    });
  });

  describe('Review', () => {
    it('lists the answers that were kept, which are right or are corrected', async () => {
      await keepAnswers(stage(), [0, 1, 2]);
      const page = await stage().open('#review');
      const kept = page.getByRole('region', { name: 'Answers to look at' });
      await kept.getByText('The least sure ones first.').waitFor();
      await expect.poll(() => kept.getByRole('listitem').count()).toBe(3);
      await kept.getByRole('button', { name: 'It is right' }).first().click();
      await expect.poll(() => kept.getByRole('listitem').count()).toBe(2);

      await choices(kept.getByRole('listitem').first()).getByRole('button', { name: '9' }).click();
      const made = page.getByRole('region', { name: 'Corrections' });
      await made.getByText('Shows 9').waitFor();
      await expect.poll(() => kept.getByRole('listitem').count()).toBe(1);
      expect((await corrections()).map(({ label }) => label)).toEqual(['9']);
      await made.getByRole('button', { name: 'Remove' }).click();
      await made.getByText('None yet.').waitFor();
      expect(await corrections()).toEqual([]);
    });

    it('moves nothing that is shown: new ones wait until they are asked for, removed ones leave', async () => {
      await keepAnswers(stage(), [0, 1]);
      const page = await stage().open('#review', { hasClock: true });
      const kept = page.getByRole('region', { name: 'Answers to look at' });
      const seen = () =>
        kept.getByRole('img').evaluateAll((images) => images.map((image) => image.getAttribute('src')));
      await expect.poll(seen).toHaveLength(2);
      const before = await seen();

      await keepAnswers(stage(), [2, 3, 4]);
      await page.clock.fastForward(pollMs);
      await kept.getByRole('button', { name: '3 new' }).waitFor();
      expect(await seen()).toEqual(before);
      const { data } = await get<List<KeptAnswer>>('/review?limit=100');
      const first = data.find(({ input: picture }) => before[0] === `data:image/png;base64,${picture}`)!;
      await removeAll('/review', [first.predictionId]);
      await page.clock.fastForward(pollMs);
      await kept.getByRole('listitem').nth(1).waitFor({ state: 'detached' });
      expect(await seen()).toEqual([before[1]]);
      await kept.getByRole('button', { name: '3 new' }).click();
      const leastSure = (await get<List<KeptAnswer>>('/review?limit=100')).data;
      expect(await seen()).toEqual(leastSure.map(({ input: picture }) => `data:image/png;base64,${picture}`));
      await expect(kept.getByRole('button', { name: 'new' }).count()).resolves.toBe(0);
    });

    it('has no answer to a drawing, which somebody is still at, but has one to a picture', async () => {
      const page = await stage().open();
      await drawSeven(page);
      expect((await get<List<KeptAnswer>>('/review')).count).toBe(0);
      await page.getByRole('button', { name: 'Try a test image' }).click();
      await expect.poll(async () => (await get<List<KeptAnswer>>('/review')).count).toBe(1);
    });

    it('leads to a training that learns from corrections, and to how it reads those held out', async () => {
      await correctTurnedImages(stage(), 5);
      const page = await stage().open('#review');
      await page.getByRole('link', { name: 'start one' }).click();
      await page.getByText('More settings').click();
      await page.getByLabel('Learn from corrections').check();
      await page.getByRole('textbox', { name: 'Epochs' }).fill('1');
      await page.getByLabel('Training images').fill('1500');
      await page.getByLabel('Test images').fill('100');
      await page.getByRole('button', { name: 'Start training' }).click();
      const { version } = await until(
        'a version that has learnt from corrections',
        async () => (await get<List<Model>>('/models?limit=1')).data[0]!,
        ({ request }) => request['corrections'] !== false,
      );
      await page.evaluate((hash) => (location.hash = hash), `#models/${version}`);
      const panel = page.getByRole('region', { name: 'Corrections' });
      await panel.getByText('Trained on 4 of them. Of the 1 that were held out').waitFor();
    });

    it.each([
      ['a phone', phone],
      ['a wide screen', wide],
    ])('on %s moves nothing, reaches no edge and has no fault that axe-core finds', async (_, viewport) => {
      await correctTurnedImages(stage(), 2);
      await keepAnswers(stage(), [0, 1]);
      const page = await stage().open('', { viewport });
      await drawSeven(page);
      await page.getByRole('button', { name: 'That’s wrong' }).click();
      expect(await overhang(page)).toBeLessThanOrEqual(0);
      expect(await violationsOf(page, [viewport])).toEqual([]);

      const review = await stage().open('#review', { viewport });
      await review.getByText('The least sure ones first.').waitFor();
      await review.getByText('was read as').first().waitFor();
      expect(await shift(review)).toBeLessThan(mostShift);
      expect(await overhang(review)).toBeLessThanOrEqual(0);
      expect(await violationsOf(review, [viewport])).toEqual([]);
    });
  });
}

async function drawSeven(page: Page): Promise<void> {
  await draw(page, mouse(page));
  await untilItReads(page, 7);
}

const choices = (place: Pick<Page, 'getByRole'>) => place.getByRole('group', { name: /^What it shows/ });

/** Has test images read, and waits until the answers are on the list. */
async function keepAnswers({ address }: Stage, indices: readonly number[]): Promise<void> {
  for (const index of indices) {
    const body = await (await fetch(`${address}/datasets/mnist/test/${index}.png`)).arrayBuffer();
    const answer = await fetch(`${address}/predict`, { method: 'POST', body });
    const { predictionId } = (await answer.json()) as { predictionId: string };
    await until(
      'the answer on the list',
      async () => (await (await fetch(`${address}/review?limit=100`)).json()) as List<KeptAnswer>,
      ({ data }) => data.some((kept) => kept.predictionId === predictionId),
    );
  }
}

async function correctTurnedImages({ address }: Stage, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const picture = await (await fetch(`${address}/datasets/mnist/test/${index}.png`)).arrayBuffer();
    const turned = await sharp(picture).rotate(8, { background: 'black' }).png().toBuffer(); // no test image any more
    const body = { image: turned.toString('base64'), label: '5' };
    const headers = { 'content-type': 'application/json' };
    await fetch(`${address}/corrections`, { method: 'POST', headers, body: JSON.stringify(body) });
  }
}
