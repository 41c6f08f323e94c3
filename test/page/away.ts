/** The server goes and comes back; whoever looks at the page need not do anything. */
import { afterEach, describe, expect, it } from 'vitest';
import { answer, draw, mouse } from './drawing.ts';
import { type Stage, serverPid } from './stage.ts';
import { manyEpochs } from './train.ts';
import { epochsListed, lastEpoch, lastStep, run } from './training.ts';

const mayFail = /ERR_|50\d/; // all that is asked meanwhile
const word = 'The server does not answer. This page goes on as soon as it does.';

export function describeAway(stage: () => Stage): void {
  describe('a server that is lost', () => {
    afterEach(() => stage().cancelAll());

    it('is said; once it is back the drawing is read, and the curves of a job go on without a gap', async () => {
      const job = await stage().queue(manyEpochs);
      const page = await stage().open(`#train/${job.id}`, { mayFail });
      const other = await stage().open('', { mayFail });
      await expect.poll(() => lastEpoch(page)).toBeGreaterThan(1);
      process.kill(serverPid(stage()), 'SIGKILL');
      await draw(other, mouse(other));
      const kept = 'The drawing is kept and will be read when the server is back.';
      await answer(other).getByText(kept).waitFor();
      for (const each of [page, other]) await each.getByRole('status').getByText(word).waitFor();
      const before = { step: await lastStep(page), epoch: await lastEpoch(page) };

      await answer(other)
        .getByText(/^It reads \d/)
        .waitFor();
      for (const each of [page, other]) {
        await each.getByRole('status').getByText(word).waitFor({ state: 'hidden' });
      }
      await expect.poll(() => lastEpoch(page)).toBeGreaterThan(before.epoch + 1);
      expect(await lastStep(page)).toBeGreaterThan(before.step);
      const epochs = await epochsListed(page);
      expect(epochs).toEqual(epochs.map((_, index) => index + 1)); // those that ended meanwhile, too
      expect(await run(page).getByRole('alert').count()).toBe(0);
    });
  });
}
