import { expect, it } from 'vitest';
import { answerOf, createClient, type Model } from '../../src/client/index.ts';
import { outcomeOf } from '../../web/src/api/outcome.ts';
import { readVersions } from '../../web/src/draw/versions.ts';

const stored = [
  { version: 5, model: 'letters' },
  { version: 4, model: 'mnist' },
  { version: 3, model: 'letters' },
  { version: 2, model: 'kana' },
  { version: 1, model: 'mnist' },
] as Model[];

/** Asks a server that holds `versions` for the versions of all models, those of `first` before all others. */
async function read(versions: readonly Model[], first: string | undefined) {
  const asked: string[] = [];
  const client = createClient({
    baseUrl: 'http://server',
    fetch: async ({ url }) => {
      const { searchParams } = new URL(url);
      const model = searchParams.get('model');
      asked.push(model ?? 'all');
      return Response.json({ data: versions.filter((each) => model === null || each.model === model) });
    },
  });
  const ask = (call: never) => outcomeOf(answerOf(call));
  const outcome = await readVersions({ client, ask: ask as never }, first, new AbortController().signal);
  if (!outcome.ok) throw new Error(outcome.problem.detail);
  return { asked, groups: outcome.data.map((group) => group.map(({ version }) => version)) };
}

it('the versions of the model that answers come first, then those of the others', async () => {
  expect(await read(stored, 'mnist')).toEqual({
    asked: ['all', 'mnist'],
    groups: [[4, 1], [5, 3], [2]],
  });
});

it('one model is asked for once', async () => {
  const mnist = stored.filter(({ model }) => model === 'mnist');
  expect(await read(mnist, 'mnist')).toEqual({ asked: ['all'], groups: [[4, 1]] });
  expect(await read([], undefined)).toEqual({ asked: ['all'], groups: [] });
});
