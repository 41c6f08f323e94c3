/** What is said of a model, by its versions in a store that lists two. */
import { expect, it } from 'vitest';
import type { Manifest } from '../../src/model/store/manifest.ts';
import { createVersionIndex } from '../../src/routes/version-index.ts';

const manifestOf = (dataset: string, labels: string[]) =>
  ({ model: 'shapes', dataset: { name: dataset }, labels, form: 'picture' }) as unknown as Manifest;
const manifests = new Map([
  [1, manifestOf('shapes', ['circle', 'square'])],
  [2, manifestOf('signs', ['stop', 'yield'])],
]);
const store = {
  versions: async () => [...manifests.keys()].toReversed(),
  manifest: async (version: number) => manifests.get(version)!,
};

it.each([
  { champion: 1, dataset: 'shapes', labels: ['circle', 'square'] },
  { champion: 2, dataset: 'signs', labels: ['stop', 'yield'] },
  { champion: null, dataset: 'signs', labels: ['stop', 'yield'] },
  { champion: 7, dataset: 'signs', labels: ['stop', 'yield'] }, // it is gone
])('a model whose champion is $champion learnt from $dataset', async ({ champion, dataset, labels }) => {
  const index = await createVersionIndex(store).read();
  expect(index.of('shapes', champion)).toEqual({
    versions: 2,
    newest: 2,
    dataset,
    labels,
    form: 'picture',
  });
});
