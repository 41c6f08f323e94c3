/** Finds data sets by name: those that come with the program, and those that were imported. */
import { TrainyardError } from '../../lib/errors.ts';
import { availableBuiltIns, describeBuiltIn, isBuiltIn, readDataset } from './built-in.ts';
import type { Dataset, DatasetDescription } from './dataset.ts';
import { openDatasets } from './imported/datasets.ts';
import type { ImportedManifest } from './imported/manifest.ts';

export type DatasetLibrary = {
  /** Null where there is none of this name. @throws TrainyardError `DATASET_DAMAGED` */
  describe(name: string): Promise<DatasetDescription | null>;
  /** @throws TrainyardError `DATASET_NOT_FOUND`, `DATASET_MISSING` or `DATASET_DAMAGED` */
  load(name: string): Promise<Dataset>;
};

export function openDatasetLibrary(dataDir: string): DatasetLibrary {
  const imported = openDatasets(dataDir);
  return {
    describe: async (name) => {
      if (isBuiltIn(name)) return availableBuiltIns().includes(name) ? describeBuiltIn(name) : null;
      const manifest = await imported.manifest(name);
      return manifest && describeImported(manifest);
    },
    load: async (name) => {
      if (isBuiltIn(name)) return readDataset(name);
      const manifest = await imported.manifest(name);
      if (manifest) return { ...describeImported(manifest), ...(await imported.read(name)) };
      const message = `expected a data set "${name}", found none; import it with POST /datasets?name=${name}`;
      throw new TrainyardError('DATASET_NOT_FOUND', message);
    },
  };
}

export function describeImported(manifest: ImportedManifest): DatasetDescription {
  const { name, form, labels, counts, testSet, pictures } = manifest;
  return {
    name,
    form,
    labels,
    counts: { train: counts.train.count, test: counts.test.count },
    byLabel: { train: counts.train.byLabel, test: counts.test.byLabel },
    testSet,
    checksums: { 'pictures.bin': pictures.sha256 },
  };
}
