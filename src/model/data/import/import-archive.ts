/**
 * Imports an archive of labelled pictures: list its entries, find out what is labelled how, read every picture,
 * sort out what is there twice, divide it, and publish it as one data set. The same archive and options give the same bytes.
 *
 * It is meant for a process of its own: it reads and writes files synchronously where that is faster.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../lib/errors.ts';
import { isCode } from '../../../lib/files.ts';
import type { ImageForm } from '../dataset.ts';
import type { ImportedManifest, Report } from '../imported/manifest.ts';
import { leastLabels, mostLabels } from '../labels.ts';
import type { ListedArchive } from './archive.ts';
import { chooseForm } from './choose-form.ts';
import { choosePictures } from './choose-pictures.ts';
import { labelEntries } from './label-entries.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { openArchive } from './open-archive.ts';
import { type EntryProblem, type Refusal, refuse } from './problem.ts';
import { type Described, publishDataset } from './publish-dataset.ts';
import { openReadPool } from './read-pool.ts';
import { type ReadProgress, readSlots } from './read-slots.ts';
import { problemsOf, reportOf } from './report.ts';
import { Scratch } from './scratch.ts';
import type { Slots } from './slots.ts';

export type ImportOptions = {
  readonly archive: string; // path
  readonly fileName?: string; // as the sender named it
  readonly name: string; // of the data set
  readonly form: ImageForm | 'auto';
  readonly testShare: number; // 0.05 … 0.5, where the archive has no division of its own
  readonly seed: number;
  readonly dataDir: string;
  readonly staging: string; // an existing directory on the same file system as `dataDir`
  readonly limits?: Limits;
  readonly allBytes?: number; // that all data sets may take on disk, this one too; by default any number
  readonly onProgress?: (progress: ReadProgress) => void;
  readonly signal?: AbortSignal;
};

/** A report that ends where the import did. */
export type PartialReport = Partial<Report> & Pick<Report, 'problems' | 'problemCount'>;

export type ImportOutcome =
  | { readonly ok: true; readonly manifest: ImportedManifest }
  | (Refusal & { readonly report?: PartialReport }); // none where the archive could not be listed

/** @throws the signal's reason; the file system's error */
export async function importArchive(options: ImportOptions): Promise<ImportOutcome> {
  const { archive, staging, limits = defaultLimits, signal } = options;
  const listed = await openArchive(archive, staging, limits);
  signal?.throwIfAborted();
  if (!listed.ok) return listed;
  const problems = [...listed.problems];
  try {
    const slots = await labelEntries(listed, limits, problems);
    return judge(slots, limits, problems) ?? (await importSlots(options, listed, slots, problems));
  } catch (error) {
    if (!isCode(error, 'IDX_INVALID')) throw error;
    return {
      ...refuse('IDX_INVALID', `${messageOf(error)}; pack the IDX files anew`),
      report: problemsOf(problems),
    };
  }
}

/** What can be said before a picture is read. */
function judge({ count, labels }: Slots, limits: Limits, problems: EntryProblem[]): ImportOutcome | null {
  const report = problemsOf(problems);
  if (count === 0) {
    const message = `expected pictures in folders named after their labels, as in label/picture.png or train/label/picture.png, or a metadata.csv; got none${whyNone(problems)}`;
    return { ...refuse('DATASET_EMPTY', message), report };
  }
  if (count > limits.pictures) {
    const message = `expected at most ${limits.pictures} pictures, got ${count}; divide them among several data sets`;
    return { ...refuse('ARCHIVE_TOO_MANY_ENTRIES', message), report };
  }
  if (labels.length >= leastLabels && labels.length <= mostLabels) return null;
  const shown = labels.slice(0, 5).map((label) => JSON.stringify(label));
  const message = `expected ${leastLabels} to ${mostLabels} labels, got ${labels.length}: ${shown.join(', ')}; a network learns to tell labels apart: put the pictures of each into a folder of its own`;
  return { ...refuse('DATASET_LABELS', message), report };
}

/** A table that can't be read is the cause, whatever it left without a label. */
function whyNone(problems: readonly EntryProblem[]): string {
  const table = problems.find(({ code }) => code === 'METADATA_INVALID');
  if (table) return `; ${table.path}: expected ${table.expected}, got ${table.got}`;
  return problems.length > 0 ? '; the report says why each file was refused' : '';
}

async function importSlots(
  options: ImportOptions,
  listed: ListedArchive,
  slots: Slots,
  problems: EntryProblem[],
): Promise<ImportOutcome> {
  const scratchPath = join(options.staging, 'greys.tmp');
  const pool = openReadPool(listed.path, slots.count);
  const scratch = new Scratch(scratchPath);
  try {
    const form = await chooseForm(options.form, slots, pool);
    const read = await readSlots(slots, form.chosen, pool, scratch, { ...options, problems });
    const chosen = choosePictures(slots, read, options, problems);
    const accepted = chosen.ok ? chosen.train.length + chosen.test.length : 0;
    const report = reportOf({ found: chosen.found, accepted }, form, listed.ignored, problems);
    if (!chosen.ok) return { ok: false, code: chosen.code, message: chosen.message, report };
    const source = await describe(options);
    const published = await publishDataset(
      { ...options, source, report, form: form.chosen },
      chosen,
      slots,
      scratch,
    );
    return published.ok ? published : { ...published, report };
  } finally {
    await pool.close();
    scratch.close();
    await rm(scratchPath, { force: true });
  }
}

async function describe({ archive, fileName }: ImportOptions): Promise<Described['source']> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(archive, { highWaterMark: 2 ** 20 })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { ...(fileName !== undefined && { fileName }), bytes, sha256: hash.digest('hex') };
}
