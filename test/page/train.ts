/** The second view: start a job, watch its curves, cancel it, compare it with another. */
import { afterEach, describe, expect, it } from 'vitest';
import type { TrainJob } from '../../src/jobs/contract.ts';
import type { JobMetrics } from '../../src/jobs/events.ts';
import type { Stage } from './stage.ts';
import { chart, epochsListed, figure, lastEpoch, lastStep, run, startJob, untilStatus } from './training.ts';

/**
 * Epochs of 16 small steps, of less than a second, more of them than a test waits for. With this seed the first epoch is
 * better than one fixed answer, and much worse than version 1.
 */
export const manyEpochs = {
  schedule: 'constant',
  learningRate: 0.002,
  seed: 1,
  batchSize: 16,
  trainImages: 256,
  testImages: 100,
  calibrationImages: 20,
  epochs: 1000,
};
const asTyped = {
  'Learning rate': '0.002',
  Seed: '1',
  'Batch size': '16',
  'Training images': '256',
  'Test images': '100',
  Epochs: '1000',
};

export function describeTrain(stage: () => Stage): void {
  describe('Train', () => {
    afterEach(() => stage().cancelAll());

    it('starts a job with the settings of the form, shows both curves move, and cancels it', async () => {
      const page = await stage().open('#train');
      await page.getByText('More settings').click();
      await page.getByRole('combobox', { name: 'Schedule' }).selectOption('constant');
      await startJob(page, asTyped);
      await untilStatus(page, 'running');
      await expect.poll(() => lastStep(page)).toBeGreaterThan(0);
      await expect.poll(() => lastEpoch(page)).toBeGreaterThan(0);
      const before = { step: await lastStep(page), epoch: await lastEpoch(page), ...(await pictures()) };
      await expect.poll(() => lastStep(page)).toBeGreaterThan(before.step);
      await expect.poll(() => lastEpoch(page)).toBeGreaterThan(before.epoch + 1);
      const after = await pictures();
      expect(after.loss.equals(before.loss)).toBe(false);
      expect(after.accuracy.equals(before.accuracy)).toBe(false);
      expect(await figure(page, 'Time left')).toMatch(/^\d+\s(?:s|min|h)/);
      expect(await figure(page, 'Images/s')).toMatch(/^[\d,]+$/);
      expect(await figure(page, 'Step')).toMatch(/^[\d,]+ of 16,000$/);
      await run(page).getByRole('button', { name: 'Cancel' }).click();
      await untilStatus(page, 'cancelled');
      expect(await figure(page, 'Time left')).toBe('–');
      const listed = page.getByRole('region', { name: 'Jobs' }).getByRole('listitem').first();
      await listed.getByText('cancelled').waitFor();
      const epochs = await epochsListed(page);
      expect(epochs.length).toBeGreaterThan(1);
      expect(epochs).toEqual(epochs.map((_, index) => index + 1));

      async function pictures() {
        const loss = await chart(page, 'Loss per step').screenshot();
        return { loss, accuracy: await chart(page, 'Test accuracy per epoch').screenshot() };
      }
    });

    it('says how long it would take and what speaks against it, before it is started, and moves nothing', async () => {
      const page = await stage().open('#train');
      const shift = () => page.evaluate(() => globalThis.layoutShift);
      const form = page.getByRole('region', { name: 'New training' });
      const time = form.getByText(/^Takes at most \d/);
      await time.waitFor();
      await form.getByText('More settings').click();
      const field = form.getByRole('textbox', { name: 'Training images' });
      await field.fill('50');
      const warning = form.getByText('raise "trainImages"');
      await warning.waitFor();
      const before = await shift(); // the settings have moved what is below
      await field.fill('0'); // what is refused would be in the console
      await time.waitFor({ state: 'detached' });
      await field.fill('60');
      await warning.waitFor();
      await field.fill('');
      await warning.waitFor({ state: 'detached' });
      await time.waitFor();
      await form.getByRole('textbox', { name: 'Model' }).fill('Not a name');
      await time.waitFor({ state: 'detached' });
      expect(await shift()).toBe(before);
    });

    it('says at its field what is wrong with a value, before it is sent', async () => {
      const page = await stage().open('#train');
      await startJob(page, { Epochs: '0', 'Learning rate': 'fast' });
      const field = (name: string) => page.getByRole('textbox', { name, exact: true });
      await page.getByRole('alert').getByText('Expected a whole number from 1 to 1000.').waitFor();
      await page.getByRole('alert').getByText('Expected a number above 0, at most 1000.').waitFor();
      for (const name of ['Epochs', 'Learning rate']) {
        expect(await field(name).getAttribute('aria-invalid')).toBe('true');
      }
      expect(await field('Batch size').getAttribute('aria-invalid')).toBe('false');
    });

    it('says at its field, in the words of the server, what that refuses', async () => {
      const page = await stage().open('', { mayFail: /400 \(Bad Request\)/ });
      // A page that knows other limits than the server has.
      await page.route('**/openapi.json', async (route) => {
        const response = await route.fetch();
        const document = (await response.json()) as OpenApi;
        document.components.schemas.TrainRequest.properties.epochs.minimum = 0;
        await route.fulfill({ response, json: document });
      });
      await page.getByRole('link', { name: 'Train', exact: true }).click();
      await startJob(page, { Epochs: '0' });
      const words = 'Expected at least 1, got 0.';
      await page.getByRole('alert').getByText(words, { exact: true }).waitFor();
      const epochs = page.getByRole('textbox', { name: 'Epochs' });
      expect(await epochs.getAttribute('aria-invalid')).toBe('true');
      const described = await epochs.getAttribute('aria-describedby');
      expect(await page.locator(`#${described}`).innerText()).toBe(words);
      await page.getByText('VALIDATION_FAILED').waitFor();
    });

    it('draws the curves of two jobs over each other', async () => {
      const [first, second] = [
        await stage().queue(manyEpochs),
        await stage().queue({ ...manyEpochs, epochs: 2 }),
      ];
      const page = await stage().open(`#train/${first.id}`);
      await expect.poll(() => lastEpoch(page)).toBeGreaterThan(1);
      await run(page).getByRole('button', { name: 'Cancel' }).click();
      await untilStatus(page, 'cancelled');
      await page.getByRole('link', { name: second.id.slice(-8) }).click();
      await untilStatus(page, 'succeeded');
      await expect.poll(() => lastEpoch(page)).toBe(2); // the curves are whole
      await expect.poll(() => lastStep(page)).toBe(32);
      const loss = chart(page, 'Loss per step');
      const alone = await loss.screenshot();
      const box = page.getByRole('checkbox', { name: `Show the curves of job ${first.id.slice(-8)}` });
      await box.check();
      for (const title of ['Loss per step', 'Test accuracy per epoch']) {
        for (const { id } of [first, second]) {
          const curve = new RegExp(`job ${id.slice(-8)}: (?:from [\\d.]+ at step|[\\d.]+\\s% after epoch)`);
          const says = () => chart(page, title).getAttribute('aria-label');
          await expect.poll(says).toMatch(curve);
        }
      }
      const isAlone = async () => (await loss.screenshot()).equals(alone);
      await expect.poll(isAlone).toBe(false);
      const both = await loss.screenshot();
      await box.uncheck();
      const saysFirst = async () => (await loss.getAttribute('aria-label'))!.includes(first.id.slice(-8));
      await expect.poll(saysFirst).toBe(false);
      const isBoth = async () => (await loss.screenshot()).equals(both);
      await expect.poll(isBoth).toBe(false);
    });

    it('says of each version whether it was promoted, and of the last one why', async () => {
      const request = { ...manyEpochs, promote: 'unless-worse', testImages: 1000, epochs: 2 };
      const { id } = await stage().queue(request);
      const page = await stage().open(`#train/${id}`);
      await untilStatus(page, 'succeeded');
      const { epochs } = (await (await fetch(`${stage().address}/jobs/${id}`)).json()) as TrainJob;
      const [, last] = epochs.map(({ promotion }) => promotion!);
      expect(last).toMatchObject({ decision: 'kept', champion: 1 });
      const words = `Version ${last!.version} was kept back, version 1 goes on answering: ${last!.reason}.`;
      await run(page).getByText(words).waitFor();
      const rows = page.getByRole('region', { name: 'Epochs' }).getByRole('row');
      const share = (accuracy: number | null) => `${(100 * accuracy!).toFixed(2)} %`;
      for (const { epoch, promotion } of epochs) {
        const said = await rows.nth(epoch).getByRole('cell').last().innerText();
        expect(said.replace(/\s/g, ' ')).toBe(
          `kept back: ${share(promotion!.accuracy)} against ${share(promotion!.accuracyAgainst)}`,
        );
      }
    });

    it('shows a job of one step', async () => {
      const { id } = await stage().queue({ epochs: 1, trainImages: 64, testImages: 100 });
      const page = await stage().open();
      await page.route(`**/jobs/${id}/metrics`, async (route) => {
        const response = await route.fetch();
        const metrics = (await response.json()) as JobMetrics;
        const curve = metrics.curve.map((point) => ({ ...point, loss: 2.3004 })); // with which uPlot has no end
        await route.fulfill({ response, json: { ...metrics, curve } });
      });
      await page.evaluate((hash) => (location.hash = hash), `#train/${id}`);
      await untilStatus(page, 'failed'); // one step teaches nothing
      await run(page).getByRole('alert').getByText('TRAINING_COLLAPSED').waitFor();
      await page.reload();
      await expect.poll(() => lastStep(page)).toBe(1);
    });

    it('says the detail of a job that is not there', async () => {
      const page = await stage().open('#train/none', { mayFail: /404/ });
      expect(await page.getByRole('main').getByRole('alert').innerText()).toContain('JOB_NOT_FOUND');
    });
  });
}

type OpenApi = {
  components: { schemas: { TrainRequest: { properties: { epochs: { minimum: number } } } } };
};
