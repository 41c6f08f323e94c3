/** Data sets as the API shows them: built in, imported, being imported, or refused. */
import { z } from 'zod';
import { type ImportJob, importProgressSchema } from '../jobs/import-contract.ts';
import { availableBuiltIns, type BuiltInName, describeBuiltIn } from '../model/data/built-in.ts';
import { imageForms } from '../model/data/dataset.ts';
import { type ImportedManifest, reportSchema } from '../model/data/imported/manifest.ts';

const count = z.int().nonnegative();
const part = z.object({ count, byLabel: z.array(count).nullable().describe('In the order of `labels`') });

export const datasetStatus = z.enum(['importing', 'ready', 'failed']);

export const datasetSchema = z
  .object({
    name: z.string(),
    status: datasetStatus,
    builtIn: z.boolean().describe('Comes with the program and stays'),
    form: z.enum(imageForms).nullable().describe('What is done to each picture; null before it is ready'),
    labels: z.array(z.string()).nullable(),
    counts: z.object({ train: part, test: part }).nullable().describe('Pictures of each part'),
    testShare: z.number().nullable().describe('null where the archive divides the pictures, or is not ready'),
    seed: z.int().nullable(),
    sha256: z.string().nullable().describe('Of its pictures; null for a built-in one'),
    testSet: z.string().nullable().describe('Names the test part: sets with the same one have the same'),
    bytes: count.nullable().describe('On disk; of the archive while it is imported'),
    source: z
      .object({ fileName: z.string().nullable(), bytes: count, sha256: z.string().nullable() })
      .nullable()
      .describe('The archive that it came from'),
    progress: importProgressSchema.nullable().describe('While it is imported'),
    report: reportSchema.partial().nullable().describe('What became of the files of the archive'),
    error: z.object({ code: z.string(), message: z.string() }).nullable().describe('Why the import failed'),
    createdAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Dataset' });
export type DatasetView = z.output<typeof datasetSchema>;

/** What is not known of a data set before it is ready. */
export const nothing = {
  form: null,
  labels: null,
  counts: null,
  testShare: null,
  seed: null,
  sha256: null,
  testSet: null,
  bytes: null,
  source: null,
  progress: null,
  report: null,
  error: null,
  createdAt: null,
};

export function builtInViews(): DatasetView[] {
  return availableBuiltIns().map(viewBuiltIn);
}

const whole = (pictures: number) => ({ count: pictures, byLabel: null });

export function viewBuiltIn(name: BuiltInName): DatasetView {
  const { form, labels, counts, testSet } = describeBuiltIn(name);
  return {
    ...nothing,
    name,
    status: 'ready',
    builtIn: true,
    form,
    labels: [...labels],
    counts: { train: whole(counts.train), test: whole(counts.test) },
    testSet,
  };
}

export function viewImported(manifest: ImportedManifest): DatasetView {
  const { name, form, labels, counts, testShare, seed, pictures, testSet, source, report } = manifest;
  return {
    ...nothing,
    name,
    status: 'ready',
    builtIn: false,
    form,
    labels,
    counts,
    testShare,
    seed,
    sha256: pictures.sha256,
    testSet,
    bytes: pictures.bytes,
    source: { ...source, fileName: source.fileName ?? null },
    report,
    createdAt: manifest.createdAt,
  };
}

export function viewImport({ data, status, progress, report, error, createdAt }: ImportJob): DatasetView {
  const { request, fileName, bytes } = data;
  return {
    ...nothing,
    name: request.name,
    status,
    builtIn: false,
    seed: request.seed,
    bytes,
    source: { fileName, bytes, sha256: null },
    progress: progress && { ...progress },
    report,
    error: error && { ...error },
    createdAt,
  };
}
