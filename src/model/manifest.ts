/** What is known of a published model: where it came from, how good it is, what its files must hash to. */
import { z } from 'zod';

const checksum = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.int().nonnegative() });

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
/** Everything about a model that its trainer knows and its bytes don't say. */
export type Provenance = z.output<typeof provenanceSchema>;

export const manifestSchema = provenanceSchema.extend({
  format: z.literal(1),
  version: z.int().positive(),
  createdAt: z.iso.datetime(),
  network: z.object({ name: z.literal('article'), layers: z.array(layer) }),
  parameters: z.int().positive(),
  input: z.string(),
  files: z.object({ 'model.json': checksum, 'weights.bin': checksum }),
});
export type Manifest = z.output<typeof manifestSchema>;
