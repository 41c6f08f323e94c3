/** What the tests of the store do to versions. */
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeBuiltIn } from '../../../src/model/data/built-in.ts';
import { buildNetwork, initialWeights } from '../../../src/model/network/network.ts';
import type { Provenance } from '../../../src/model/store/manifest.ts';
import type { ModelStore } from '../../../src/model/store/store.ts';
import type { Correctness } from '../../../src/model/training/correctness.ts';
import type { Evaluation } from '../../../src/model/training/evaluation.ts';
import { provenance } from './provenance.ts';

const network = buildNetwork('article', 10);
export const weights = initialWeights(network, 1);

/** An untrained network's: it takes every digit for a 3. */
export const evaluation: Evaluation = {
  dataset: 'mnist',
  images: 100,
  accuracy: 0.1,
  confusion: Array.from({ length: 10 }, () => [0, 0, 0, 10, 0, 0, 0, 0, 0, 0]),
  misread: Array.from({ length: 90 }, (_, index) => ({ index, label: 7, digit: 3, confidence: 0.125 })),
};

/** It reads the first ten of a hundred test images right. */
export const correctness: Correctness = {
  images: 100,
  bits: Uint8Array.from({ length: 13 }, (_, i) => [255, 3][i] ?? 0),
};
export const tested: Provenance = {
  ...provenance,
  test: { set: describeBuiltIn('mnist').testSet, images: 100 },
};

/** What a version can't be served without. */
export const modelFileNames = ['manifest.json', 'model.json', 'weights.bin'] as const;
export const fileNames = [...modelFileNames, 'evaluation.json'] as const;

export async function publish(store: ModelStore, testAccuracy = 0.1, model?: string): Promise<number> {
  const metrics = { ...provenance.metrics, testAccuracy };
  const ofModel = model === undefined ? {} : { model };
  return (await store.publish(network, weights, { ...provenance, metrics, ...ofModel }, { evaluation }))
    .version;
}

export const pathOf = (dataDir: string, ...parts: (string | number)[]) =>
  join(dataDir, 'models', ...parts.map(String));

/** Changes the lowest bit of one byte. */
export async function damage(
  dataDir: string,
  version: number,
  name = 'weights.bin',
  position = 100,
): Promise<void> {
  const path = pathOf(dataDir, version, name);
  const bytes = await readFile(path);
  bytes[position]! ^= 1;
  await writeFile(path, bytes);
}

/** Has `use` see the file with one byte changed by `mask`, and puts the byte back. */
export async function withFlip(
  path: string,
  position: number,
  mask: number,
  use: () => Promise<void>,
): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    const original = byte[0]!;
    await file.write(Buffer.of(original ^ mask), 0, 1, position);
    await use();
    await file.write(Buffer.of(original), 0, 1, position);
  } finally {
    await file.close();
  }
}
