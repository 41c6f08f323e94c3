/** What an archive may hold. All sizes are in bytes. */
import { imageSize } from '../dataset.ts';

export type Limits = {
  readonly entries: number;
  readonly pictures: number; // a file of IDX holds many
  readonly pictureBytes: number; // of one picture, inflated; as much as /predict takes
  readonly tableBytes: number; // of one metadata file or IDX header, inflated
  readonly idxBytes: number; // of one IDX file, inflated
  readonly inflatedBytes: number; // of the whole archive
  readonly entryRatio: number; // inflated to stored, of an entry of more than `smallBytes`
  readonly archiveRatio: number; // likewise, of the whole archive
  readonly smallBytes: number; // what is smaller may have any ratio
  readonly pathLength: number; // characters
};

export const defaultLimits: Limits = {
  entries: 300_000,
  pictures: 1_000_000,
  pictureBytes: 15 * 2 ** 20,
  tableBytes: 64 * 2 ** 20,
  idxBytes: 1_000_000 * imageSize + 2 ** 10,
  inflatedBytes: 8 * 2 ** 30,
  entryRatio: 300,
  archiveRatio: 150,
  smallBytes: 2 ** 20,
  pathLength: 1024,
};

/** How many refused files, and how many duplicates, a report lists; the rest is counted. */
export const listedFiles = 1000;
