/**
 * The manifest of a published version: where it came from, how good it is, and the checksums of its files. It is sealed
 * with its own checksum (lib/sealed-json.ts).
 */
import { z } from 'zod';
import { openSealed, seal } from '../../lib/sealed-json.ts';
import { type ImageForm, imageForms } from '../data/dataset.ts';
import { digitLabels } from '../data/labels.ts';
import { modelName } from '../registry/names.ts';
import { calibrationSchema } from '../training/calibration.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const checksum = z.object({ sha256, bytes: z.int().nonnegative() });

const layer = z.union([
  z.object({
    kind: z.literal('convolution'),
    filters: z.int().positive(),
    kernelSize: z.int().positive(),
    pool: z.int().positive().exactOptional(),
  }),
  z.object({ kind: z.literal('dense'), units: z.int().positive() }),
]);

export const provenanceSchema = z.object({
  model: modelName.exactOptional().describe('Older versions have none: their data set gives the name'),
  jobId: z.string(),
  epoch: z.int().positive(),
  epochs: z.int().positive(),
  recipe: z.string(),
  seed: z.int(),
  request: z.record(z.string(), z.unknown()),
  dataset: z.object({ name: z.string(), sha256: z.record(z.string(), z.string()) }),
  labels: z
    .array(z.string())
    .exactOptional()
    .describe('What it can answer, in the order of its logits; older versions have none: the digits 0 to 9'),
  form: z
    .enum(imageForms)
    .exactOptional()
    .describe('How a picture becomes its input; older versions have none: ink'),
  test: z
    .object({ set: z.string(), images: z.int().positive() })
    .exactOptional()
    .describe('What it was tested on: the SHA-256 of the test split, and how many of its first images'),
  engine: z.object({ name: z.string(), device: z.string(), gpu: z.boolean() }),
  gitCommit: z.string().nullable(),
  metrics: z.object({ trainLoss: z.number(), testLoss: z.number(), testAccuracy: z.number() }),
  calibration: calibrationSchema
    .exactOptional()
    .describe('Older versions have none, nor has the recipe `article`'),
});
/** What the trainer knows about a model and its weights don't say. */
export type Provenance = z.output<typeof provenanceSchema>;

export const manifestSchema = provenanceSchema.extend({
  format: z.literal(1),
  version: z.int().positive(),
  createdAt: z.iso.datetime(),
  network: z.object({ name: z.string(), layers: z.array(layer) }),
  parameters: z.int().positive(),
  input: z.string(),
  normalisationVersion: z
    .int()
    .positive()
    .exactOptional()
    .describe(
      'Of the program that published it: how it makes the input from a picture; older versions have none',
    ),
  files: z.object({
    'model.json': checksum,
    'weights.bin': checksum,
    'evaluation.json': checksum.exactOptional(), // older versions have none
    'correct.bits': checksum.exactOptional(), // likewise
  }),
  sha256: sha256.describe('Of this manifest as JSON, indented by two, without this field'),
});
export type Manifest = z.output<typeof manifestSchema>;
export type ManifestContent = Omit<Manifest, 'sha256'>;

/** `unsupported`: undamaged, but in a form that this program doesn't know, such as a later version's. */
export type OpenedManifest =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly problem: 'damaged' | 'unsupported'; readonly reason: string };

/** Returns the sealed manifest and the bytes of its file. */
export function sealManifest(content: ManifestContent): { manifest: Manifest; bytes: Buffer } {
  const { sealed, bytes } = seal(content);
  return { manifest: sealed, bytes };
}

/** Reads and checks a file that `sealManifest` made. */
export function openManifest(bytes: Uint8Array): OpenedManifest {
  const opened = openSealed(bytes);
  if (!opened.ok) return { ok: false, problem: 'damaged', reason: opened.reason };
  const parsed = manifestSchema.safeParse(opened.content);
  if (parsed.success) return { ok: true, manifest: opened.content as Manifest }; // zod's copy lacks a key "__proto__"
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  return { ok: false, problem: 'unsupported', reason: `expected another form: ${issues.join('; ')}` };
}

/** What a version can answer, and how it wants its pictures. */
export function readingOf({ labels, form }: Pick<Manifest, 'labels' | 'form'>): {
  labels: readonly string[];
  form: ImageForm;
} {
  return { labels: labels ?? digitLabels, form: form ?? 'ink' };
}

/** The name of the line of versions that this one belongs to. Before models had names, it was the data set's. */
export function modelOf({ model, dataset }: Pick<Manifest, 'model' | 'dataset'>): string {
  return model ?? dataset.name;
}
