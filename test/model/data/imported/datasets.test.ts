import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openDatasets } from '../../../../src/model/data/imported/datasets.ts';
import { importedName } from '../../../../src/model/data/imported/manifest.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { importZip, manifestOf, twoLabels } from '../import/importing.ts';

async function imported() {
  const set = await importZip(twoLabels(10));
  return { datasets: openDatasets(set.dataDir), dataDir: set.dataDir, manifest: manifestOf(set) };
}

async function damage(dataDir: string, file: string, at: number): Promise<void> {
  const path = join(dataDir, 'datasets', 'letters', file);
  const bytes = await readFile(path);
  bytes[at]! ^= 1;
  await writeFile(path, bytes);
}

describe('data sets on disk', () => {
  let shared: Awaited<ReturnType<typeof imported>>;
  beforeAll(async () => {
    shared = await imported();
  });

  it('are listed with their manifests and their size', async () => {
    const { datasets, manifest } = shared;
    expect(await datasets.list()).toEqual([manifest]);
    expect(await datasets.manifest('letters')).toEqual(manifest);
    expect(await datasets.bytes()).toBeGreaterThan(manifest.pictures.bytes);
  });

  it('are read as a whole, and picture by picture', async () => {
    const { datasets, manifest } = shared;
    const parts = await datasets.read('letters');
    expect([parts.train.count, parts.test.count]).toEqual([16, 4]);
    for (const part of ['train', 'test'] as const) {
      const { images, labels, count } = parts[part];
      expect([images.length, labels.length]).toEqual([784 * count, count]);
      for (let i = 0; i < count; i++) {
        const picture = await datasets.picture('letters', part, i);
        expect(picture?.label).toBe(manifest.labels[labels[i]!]);
        expect(Buffer.compare(picture!.pixels, images.subarray(784 * i, 784 * (i + 1)))).toBe(0);
      }
    }
    expect(await datasets.picture('letters', 'test', 4)).toBeNull();
  });

  it('are not there under another name', async () => {
    const { datasets } = shared;
    for (const name of ['other', '.', '..', '../datasets/letters', 'Letters', '']) {
      expect(await datasets.manifest(name)).toBeNull();
      expect(await datasets.remove(name)).toBe(false);
      await expect(datasets.read(name)).rejects.toMatchObject({ code: 'DATASET_MISSING' });
    }
    expect(await openDatasets(await temporaryDirectory()).list()).toEqual([]);
    expect(await openDatasets(await temporaryDirectory()).bytes()).toBe(0);
  });

  it('are gone once they are removed', async () => {
    const { datasets } = await imported();
    expect(await datasets.remove('letters')).toBe(true);
    expect(await datasets.remove('letters')).toBe(false);
    expect(await datasets.list()).toEqual([]);
  });

  it('are not read where a byte of the pictures is another', async () => {
    const { datasets, dataDir, manifest } = await imported();
    await damage(dataDir, 'pictures.bin', 5);
    await expect(datasets.read('letters')).rejects.toMatchObject({
      code: 'DATASET_DAMAGED',
      message: expect.stringContaining('import it again'),
    });
    await expect(datasets.picture('letters', 'train', 0)).rejects.toMatchObject({ code: 'DATASET_DAMAGED' });
    expect((await datasets.picture('letters', 'train', 1))?.label).toBeDefined();
    await damage(dataDir, 'pictures.bin', manifest.pictures.sections.hashes.offset + 32);
    await expect(datasets.picture('letters', 'train', 1)).rejects.toMatchObject({ code: 'DATASET_DAMAGED' });
  });

  it('are left out of the list where the manifest is damaged', async () => {
    const { dataDir } = await imported();
    await damage(dataDir, 'manifest.json', 30);
    const errors: unknown[] = [];
    const datasets = openDatasets(dataDir, (error) => errors.push(error));
    expect(await datasets.list()).toEqual([]);
    expect(errors).toMatchObject([{ code: 'DATASET_DAMAGED' }]);
    await expect(datasets.manifest('letters')).rejects.toMatchObject({ code: 'DATASET_DAMAGED' });
  });
});

describe('names of data sets', () => {
  it('are those of models, but for the built-in ones', () => {
    const isName = (name: string) => importedName.safeParse(name).success;
    expect(['letters', 'a', 'my-set-2'].map(isName)).toEqual([true, true, true]);
    expect(['mnist', 'fashion-mnist', 'Letters', '2', '', 'constructor', 'a'.repeat(64)].some(isName)).toBe(
      false,
    );
  });
});
