/**
 * A decision about which version of a model answers. Each one holds the whole state that follows from it: the newest
 * decision gives the current state, and all of them together are the history.
 */
import { z } from 'zod';
import { aliasName, modelName } from './names.ts';

const version = z.int().positive();
const count = z.int().nonnegative();

/** The gate's numbers: a new version against the best one that has been champion, on the same test images. */
export const comparisonSchema = z
  .object({
    against: version.describe('The version that it was compared with'),
    images: count.describe('Test images that both read'),
    accuracy: z.number().min(0).max(1).describe('Share of them that the new version reads right'),
    accuracyAgainst: z.number().min(0).max(1),
    onlyCandidate: count.describe('Images that only the new version reads right'),
    onlyChampion: count.describe('Images that only the other one reads right'),
    p: z.number().min(0).max(1).describe('Of the exact McNemar test, two-sided'),
  })
  .meta({ id: 'Comparison' });
export type Comparison = z.output<typeof comparisonSchema>;

const aliasSchema = z.object({ version, since: z.iso.datetime(), by: z.string(), reason: z.string() });
export type Alias = z.output<typeof aliasSchema>;

export const stateSchema = z.object({
  revision: count.describe('The number of the last decision that changed an alias or the traffic'),
  aliases: z.record(aliasName, aliasSchema),
  traffic: z
    .record(aliasName, z.int().min(0).max(100))
    .nullable()
    .describe('Per cent by alias; null: all to champion'),
  path: z.array(version).describe('Champions, the present one first; a rollback takes the first away'),
  recent: z.array(version).describe('The last versions that have been champion, the newest first'),
  best: z
    .record(z.string(), z.object({ version, images: count, accuracy: z.number() }))
    .describe('The best version that has been champion, by test set'),
});
export type RegistryState = z.output<typeof stateSchema>;

export const actions = [
  'adopted', // a version from before the registry, by a server
  'promoted', // by the gate
  'kept', // the gate left the champion in place
  'held', // the job asked for no promotion
  'moved', // an alias, by a call
  'removed', // an alias
  'rolledBack',
  'replaced', // the champion was damaged or is gone
  'traffic',
] as const;
export type Action = (typeof actions)[number];

export const decisionSchema = z.object({
  format: z.literal(1),
  number: z.int().positive(),
  model: modelName,
  at: z.iso.datetime(),
  action: z.enum(actions),
  alias: aliasName.nullable(),
  from: version.nullable(),
  to: version
    .nullable()
    .describe('Where the alias points now; of `kept` and `held`, the version that was not promoted'),
  by: z.string(),
  reason: z.string(),
  comparison: comparisonSchema.nullable(),
  state: stateSchema,
});
export type Decision = z.output<typeof decisionSchema>;

export const noState: RegistryState = {
  revision: 0,
  aliases: {},
  traffic: null,
  path: [],
  recent: [],
  best: {},
};
