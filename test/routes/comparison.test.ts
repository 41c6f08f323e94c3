/** Two versions on the test images that both were tested on. */
import { expect, it } from 'vitest';
import { buildNetwork } from '../../src/model/network/network.ts';
import { openStore } from '../../src/model/store/store.ts';
import { correctness, evaluation, tested, weights } from '../model/store/versions.ts';
import { temporaryDirectory } from '../temporary.ts';
import { buildQuietApp } from './quiet-app.ts';

it('of versions that were tested on 100 and on 16 images has all its numbers on the 16', async () => {
  const store = openStore(await temporaryDirectory());
  const few = { images: 16, bits: Uint8Array.of(0b1111_0001, 0) };
  await store.publish(buildNetwork('article', 10), weights, tested, { evaluation, correctness });
  const testedOnFew = { ...tested, test: { ...tested.test!, images: few.images } };
  await store.publish(buildNetwork('article', 10), weights, testedOnFew, { evaluation, correctness: few });
  const app = await buildQuietApp({ store });
  expect((await app.inject('/models/1/comparison/2')).json()).toEqual({
    version: 1,
    other: 2,
    images: 16,
    accuracy: 10 / 16,
    accuracyOther: 5 / 16,
    onlyVersion: [1, 2, 3, 8, 9],
    onlyOther: [],
    p: 0.0625,
  });
});
