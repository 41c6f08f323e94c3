/**
 * The manifest of a published model: where it came from, how good it is, and the checksums of its files. A manifest
 * is sealed with its own checksum: the file must equal, byte for byte, what sealing its content writes, so that any
 * change is detected, even of white space.
 */
import { z } from 'zod';
import { messageOf } from '../../lib/errors.ts';
import { sha256Of } from '../../lib/sha256.ts';

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
  jobId: z.string(),
  epoch: z.int().positive(),
  epochs: z.int().positive(),
  recipe: z.string(),
  seed: z.int(),
  request: z.record(z.string(), z.unknown()),
  dataset: z.object({ name: z.string(), sha256: z.record(z.string(), z.string()) }),
  engine: z.object({ name: z.string(), device: z.string(), gpu: z.boolean() }),
  gitCommit: z.string().nullable(),
  metrics: z.object({ trainLoss: z.number(), testLoss: z.number(), testAccuracy: z.number() }),
});
/** What the trainer knows about a model and its weights don't say. */
export type Provenance = z.output<typeof provenanceSchema>;

export const manifestSchema = provenanceSchema.extend({
  format: z.literal(1),
  version: z.int().positive(),
  createdAt: z.iso.datetime(),
  network: z.object({ name: z.literal('article'), layers: z.array(layer) }),
  parameters: z.int().positive(),
  input: z.string(),
  files: z.object({
    'model.json': checksum,
    'weights.bin': checksum,
    'evaluation.json': checksum.exactOptional(), // older versions have none
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
  const manifest = seal(content);
  return { manifest, bytes: serialise(manifest) };
}

/** Reads and checks a file that `sealManifest` made. */
export function openManifest(bytes: Uint8Array): OpenedManifest {
  let content: object;
  try {
    ({ ...content } = JSON.parse(Buffer.from(bytes).toString()) as object);
  } catch (error) {
    return { ok: false, problem: 'damaged', reason: `expected JSON: ${messageOf(error)}` };
  }
  const { sha256: recorded, ...rest } = content as { sha256?: unknown };
  const sealed = seal(rest);
  if (!serialise(sealed).equals(bytes)) {
    const got = sealed.sha256 === recorded ? 'the same in another layout' : JSON.stringify(recorded);
    const reason = `expected the SHA-256 of its content, ${sealed.sha256}, got ${got}`;
    return { ok: false, problem: 'damaged', reason };
  }
  const parsed = manifestSchema.safeParse(sealed);
  if (parsed.success) return { ok: true, manifest: sealed as Manifest }; // zod's copy lacks a key "__proto__"
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  return { ok: false, problem: 'unsupported', reason: `expected another form: ${issues.join('; ')}` };
}

function seal<Content extends object>(content: Content): Content & { sha256: string } {
  return { ...content, sha256: sha256Of(serialise(content)) };
}

function serialise(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}
