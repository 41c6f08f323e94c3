import { describe, expect, it } from 'vitest';
import { openDatasetLibrary } from '../../../src/model/data/load-dataset.ts';
import { importZip, manifestOf, twoLabels } from './import/importing.ts';

describe('the library of data sets', () => {
  it('finds those that were imported as well as the built-in ones', async () => {
    const imported = await importZip(twoLabels(10));
    const { testSet, pictures } = manifestOf(imported);
    const library = openDatasetLibrary(imported.dataDir);
    const description = {
      name: 'letters',
      form: 'picture',
      labels: ['a', 'b'],
      counts: { train: 16, test: 4 },
      byLabel: { train: [8, 8], test: [2, 2] },
      testSet,
      checksums: { 'pictures.bin': pictures.sha256 },
    };
    expect(await library.describe('letters')).toEqual(description);
    const { train, test, ...rest } = await library.load('letters');
    expect(rest).toEqual(description);
    expect([train.count, test.count, train.images.length]).toEqual([16, 4, 16 * 784]);
    expect((await library.describe('mnist'))?.counts).toEqual({ train: 60_000, test: 10_000 });
  });

  it('says how to import one that it lacks', async () => {
    const library = openDatasetLibrary((await importZip(twoLabels(2))).dataDir);
    expect(await library.describe('others')).toBeNull();
    await expect(library.load('others')).rejects.toMatchObject({
      code: 'DATASET_NOT_FOUND',
      message: expect.stringContaining('POST /datasets?name=others'),
    });
  });
});
