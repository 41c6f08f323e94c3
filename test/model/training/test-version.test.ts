/** Versions that were trained on nothing: what counts is which of their files is read. */
import { rm } from 'node:fs/promises';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { firstOf } from '../../../src/model/data/dataset.ts';
import { openEngine } from '../../../src/model/engines/open-engine.ts';
import { buildNetwork } from '../../../src/model/network/network.ts';
import { type ModelStore, openStore } from '../../../src/model/store/store.ts';
import { testVersion } from '../../../src/model/training/test-version.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { mnist } from '../data/mnist.ts';
import { correctness, damage, pathOf, tested, weights } from '../store/versions.ts';

beforeAll(() => openEngine('wasm'));

let dataDir: string;
let store: ModelStore;
let version: number;
beforeEach(async () => {
  dataDir = await temporaryDirectory();
  store = openStore(dataDir);
  ({ version } = await store.publish(buildNetwork('article', 10), weights, tested, { correctness }));
});

const test = (images = 100, from: Pick<ModelStore, 'correctness' | 'load'> = store) =>
  testVersion(from, version, firstOf(mnist.test, images));
const failing = async () => Promise.reject(Object.assign(new Error('EIO'), { code: 'MODEL_UNREADABLE' }));

it('takes the results that were stored with a version', async () => {
  const { images, bits } = (await test())!;
  expect({ images, bits: Uint8Array.from(bits) }).toEqual(correctness);
});

it('has the version read the images that the stored results lack', async () => {
  expect(await test(101)).toMatchObject({ images: 101 });
});

it('has the version read the images where the stored results are damaged, missing or unreadable', async () => {
  const bits = pathOf(dataDir, version, 'correct.bits');
  const read = await test(100, { ...store, correctness: async () => null });
  expect(read).toMatchObject({ images: 100 });
  expect(read).not.toEqual(correctness); // the stored ones are made up
  await damage(dataDir, version, 'correct.bits', 3);
  expect(await test()).toEqual(read);
  await rm(bits);
  expect(await test()).toEqual(read);
  expect(await test(100, { ...store, correctness: failing })).toEqual(read);
});

it('is null for a version that is damaged or gone', async () => {
  await damage(dataDir, version);
  expect(await test(101)).toBeNull();
  await damage(dataDir, version, 'manifest.json');
  expect(await test()).toBeNull();
  await rm(pathOf(dataDir, version), { recursive: true });
  expect(await test()).toBeNull();
});

it('passes on that the system can not read a version now', async () => {
  const load = failing;
  await expect(test(101, { ...store, load })).rejects.toMatchObject({ code: 'MODEL_UNREADABLE' });
});
