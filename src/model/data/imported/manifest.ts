/** The manifest of an imported data set, sealed with its own checksum (lib/sealed-json.ts). */
import { z } from 'zod';
import { openSealed, seal } from '../../../lib/sealed-json.ts';
import { datasetName } from '../../registry/names.ts';
import { builtInNames } from '../built-in.ts';
import { imageForms } from '../dataset.ts';
import { leastLabels } from '../labels.ts';

/** Names that a data set may be imported under. */
export const importedName = datasetName.refine((name) => !builtInNames.some((taken) => taken === name), {
  error: `expected another name than ${builtInNames.join(' and ')}, which are built in`,
});

const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const part = z.object({ count, byLabel: z.array(count).describe('In the order of `labels`') });
const section = z.object({ offset: count, bytes: count });

export const formSchema = z.enum(imageForms);

export const problemSchema = z.object({
  path: z.string(),
  code: z.string(),
  expected: z.string(),
  got: z.string(),
});

export const reportSchema = z.object({
  accepted: count.describe('Pictures in the set'),
  duplicates: count.describe('Pictures left out since the same pixels with the same label are in the set'),
  duplicateFiles: z
    .array(z.object({ path: z.string(), sameAs: z.string().describe('The file that is in the set') }))
    .exactOptional()
    .describe('The first 1000 of them by path; absent in imports of earlier versions'),
  inTrainAndTest: count.describe(
    'Of the duplicates: left out of the training part since they are in the test part',
  ),
  ignored: count.describe('Folders, and files that systems leave in them'),
  problems: z.array(problemSchema).describe('Files that were refused, the first 1000 by path'),
  problemCount: count,
  form: z.object({
    asked: z.enum(['auto', 'ink', 'picture']),
    chosen: formSchema,
    looked: count.describe('Pictures looked at to choose a form'),
    drawn: count.describe('Of them, those that look like one drawn character'),
  }),
  notes: z.array(z.string()).describe('What else is worth knowing'),
});
export type Report = z.output<typeof reportSchema>;

/** A report without its lists of files, of which each may be a megabyte. */
export const reportSummarySchema = reportSchema.omit({ problems: true, duplicateFiles: true }).partial();
export type ReportSummary = z.output<typeof reportSummarySchema>;

export function summaryOf<Listed extends { readonly problems?: unknown; readonly duplicateFiles?: unknown }>({
  problems: _,
  duplicateFiles: __,
  ...summary
}: Listed): Omit<Listed, 'problems' | 'duplicateFiles'> {
  return summary;
}

export const manifestSchema = z.object({
  format: z.literal(1),
  name: z.string(),
  form: formSchema.describe('What was done to each picture, and is to be done to those that are to be read'),
  labels: z.array(z.string()).min(leastLabels),
  counts: z.object({ train: part, test: part }),
  testShare: z.number().nullable().describe('null: the archive divides the pictures itself'),
  seed: z.int(),
  pictures: z.object({
    sha256,
    bytes: count,
    sections: z.object({ greys: section, labels: section, hashes: section, names: section }),
  }),
  testSet: sha256.describe('Names the test part: sets with the same test part have the same'),
  report: reportSchema,
  createdAt: z.iso.datetime(),
  source: z.object({ fileName: z.string().exactOptional(), bytes: count, sha256 }),
  sha256: sha256.describe('Of this manifest as JSON, indented by two, without this field'),
});
export type ImportedManifest = z.output<typeof manifestSchema>;
export type ManifestContent = Omit<ImportedManifest, 'sha256'>;

export type OpenedManifest =
  | { readonly ok: true; readonly manifest: ImportedManifest }
  | { readonly ok: false; readonly reason: string };

export function sealManifest(content: ManifestContent): { manifest: ImportedManifest; bytes: Buffer } {
  const { sealed, bytes } = seal(content);
  return { manifest: sealed, bytes };
}

/** Reads and checks a file that `sealManifest` made. */
export function openManifest(bytes: Uint8Array): OpenedManifest {
  const opened = openSealed(bytes);
  if (!opened.ok) return opened;
  const parsed = manifestSchema.safeParse(opened.content);
  if (parsed.success) return { ok: true, manifest: parsed.data };
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  return { ok: false, reason: `expected another form: ${issues.join('; ')}` };
}
