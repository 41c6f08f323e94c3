import { describe, expect, it } from 'vitest';
import { answerOf, createClient } from '../../src/client/index.ts';
import { outcomeOf } from '../../web/src/api/outcome.ts';
import { type Offer, readOffer, type Wish } from '../../web/src/models/offer.ts';

const rollBack: Wish = { kind: 'rollBack', model: 'mnist', version: 7 };
const promote: Wish = { kind: 'promote', model: 'mnist', version: 8 };
const registered = { aliases: { champion: { version: 7 } }, champions: [7, 4, 2], revision: 300 };
const numbers = { images: 1000, accuracy: 0.91, accuracyOther: 0.911 };
const comparison = { ...numbers, onlyVersion: [1], onlyOther: [2, 3], p: 1 };
const notComparable = {
  type: 'about:blank',
  title: '',
  status: 409,
  code: 'NOT_COMPARABLE',
  detail: '',
  instance: '',
};

describe('the offer', () => {
  it('to roll back goes to the champion before, however many decisions came since', async () => {
    const kept = { action: 'kept', alias: 'champion', from: 7, to: 8 };
    const answers = { '/history': { data: Array.from({ length: 100 }, () => kept) } };
    expect(await offerOf(rollBack, answers)).toMatchObject({ from: 7, to: 4, revision: 300 });
  });

  it('to roll back names no version where there was only one champion', async () => {
    const answers = { '/registry/mnist': { ...registered, champions: [7] } };
    expect(await offerOf(rollBack, answers)).toMatchObject({ from: 7, to: null });
  });

  it('to promote a version names it', async () => {
    expect(await offerOf(promote)).toMatchObject({ from: 7, to: 8, revision: 300 });
  });

  it('has the accuracies on the images compared, not on those of each version’s own test', async () => {
    expect((await offerOf(promote)).accuracies).toEqual({ 8: 0.91, 7: 0.911 });
  });

  it('has each version’s own accuracy where they can’t be compared', async () => {
    const { accuracies, comparison: failed } = await offerOf(promote, { '/comparison/7': notComparable });
    expect(accuracies).toEqual({ 8: 0.8, 7: 0.7 });
    expect(failed.ok).toBe(false);
  });
});

/** @param answers what a server answers, by the end of the path; without one, a version or its comparison */
async function offerOf(wish: Wish, answers: Record<string, object> = {}): Promise<Offer> {
  const usual: Record<string, object> = { '/registry/mnist': registered, '/comparison/7': comparison };
  const client = createClient({
    baseUrl: 'http://server',
    fetch: async ({ url }) => {
      const known = Object.entries({ ...usual, ...answers }).find(([end]) =>
        new URL(url).pathname.endsWith(end),
      )?.[1];
      const version = Number(/\d+$/.exec(url)?.[0]);
      const answer = known ?? { version, metrics: { testAccuracy: version / 10 } };
      return Response.json(answer, { status: known === notComparable ? 409 : 200 });
    },
  });
  const outcome = await readOffer(
    { client, ask: (call) => outcomeOf(answerOf(call)) },
    wish,
    new AbortController().signal,
  );
  if (!outcome.ok) throw new Error(outcome.problem.detail);
  return outcome.data;
}
