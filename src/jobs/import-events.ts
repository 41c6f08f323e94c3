/** The events of an import, as GET /datasets/:name/events sends them and as Redis keeps them with the import's job. */
import { z } from 'zod';
import { reportSummarySchema } from '../model/data/imported/manifest.ts';
import { importProgressSchema } from './import-contract.ts';
import { importStatuses } from './import-totals.ts';

const at = z.iso.datetime().describe('When it happened');

const queued = z.object({ type: z.literal('queued'), at });
const started = z.object({
  type: z.literal('started'),
  at,
  attempt: z.int().positive().describe('From 2 on: the import was cut off, and begins again'),
});
const progress = z.object({ type: z.literal('progress'), at, ...importProgressSchema.shape });
const done = z.object({
  type: z.literal('done'),
  at,
  status: z.enum(importStatuses).describe('`cancelled`: the data set was deleted before it was ready'),
  report: reportSummarySchema
    .nullable()
    .describe(
      'Without the lists of files, which GET /datasets/{name} has; null where nothing came of the archive',
    ),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});

/** `done` is always the last event. */
export const importEventSchema = z
  .discriminatedUnion('type', [queued, started, progress, done])
  .meta({ id: 'ImportEvent' });
export type ImportEvent = z.output<typeof importEventSchema>;
