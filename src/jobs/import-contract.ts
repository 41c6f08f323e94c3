/** The types that the API, the queue and the worker share about imports of data sets. */
import { z } from 'zod';
import { imageForms } from '../model/data/dataset.ts';
import type { PartialReport } from '../model/data/import/import-archive.ts';
import { importedName } from '../model/data/imported/manifest.ts';

export const importQueueName = 'import';

/** The query of POST /datasets. */
export const importRequestSchema = z.strictObject({
  name: importedName.describe('Of the data set'),
  form: z
    .enum(['auto', ...imageForms])
    .default('auto')
    .describe(
      'What is done to each picture: drawn `ink` is cut out, fitted and centred as MNIST was made; a `picture` is fitted as a whole; `auto` decides by a look at some of them',
    ),
  testShare: z.coerce
    .number()
    .min(0.05)
    .max(0.5)
    .default(0.2)
    .describe('The share of each label for the test, where the archive has no division of its own'),
  seed: z.coerce.number().int().min(0).max(0xffffffff).default(1).describe('Of that draw and of the order'),
});
export type ImportRequest = z.output<typeof importRequestSchema>;

/** The data of a job in the queue; its id is that of the upload. */
export type ImportJobData = {
  readonly request: ImportRequest;
  readonly fileName: string | null; // as the sender named it
  readonly bytes: number; // of the archive
  readonly allBytes?: number; // that all data sets may take, this one too; undefined in imports of earlier versions
  readonly requestId: string; // of the HTTP request
};

export const importProgressSchema = z
  .object({
    pictures: z.int().describe('Looked at so far'),
    count: z.int().describe('In the archive'),
    problems: z.int().describe('So far'),
    fraction: z.number(),
  })
  .meta({ id: 'ImportProgress' });
export type ImportProgress = z.output<typeof importProgressSchema>;

/** What the worker reports about an import; the report comes with a refusal. */
export type ImportState = { readonly progress: ImportProgress | null; readonly report: PartialReport | null };

/** An import that waits, runs or has failed. */
export type ImportJob = ImportState & {
  readonly id: string;
  readonly status: 'importing' | 'failed';
  readonly data: ImportJobData;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly createdAt: string;
};
