/** The events of a job, as GET /jobs/:id/events sends them and as Redis keeps them with the job. */
import { z } from 'zod';
import { promotionSchema } from '../model/registry/promotion.ts';
import { engineSchema, epochSchema, jobStatuses, progressSchema } from './contract.ts';

const at = z.iso.datetime().describe('When it happened');
const error = z.object({ code: z.string(), message: z.string() });

const queued = z.object({
  type: z.literal('queued'),
  at,
  position: z.int().positive().describe('1 is next; told anew whenever it changes, from 100 on'),
});
const started = z.object({
  type: z.literal('started'),
  at,
  engine: engineSchema,
  attempt: z.int().positive(),
  resumedFromStep: z
    .int()
    .nullable()
    .describe(
      'null: at the beginning. What later events say of steps after it replaces what earlier ones said',
    ),
});
const progress = z.object({ type: z.literal('progress'), at, ...progressSchema.shape });
const epoch = z.object({ type: z.literal('epoch'), at, ...epochSchema.omit({ promotion: true }).shape });
const checkpoint = z.object({
  type: z.literal('checkpoint'),
  at,
  modelVersion: z.int().positive(),
  epoch: z.int().positive(),
  testAccuracy: z.number(),
});
const promoted = z.object({
  type: z.literal('promoted'),
  at,
  ...promotionSchema.shape,
  decision: promotionSchema.shape.decision.extract(['promoted']),
});
const kept = z.object({
  type: z.literal('kept'),
  at,
  ...promotionSchema.shape,
  decision: promotionSchema.shape.decision.extract(['kept', 'held']),
});
const trouble = z.object({
  type: z.literal('trouble'),
  at,
  error: error
    .nullable()
    .describe('What the job waits for, such as room on the disk (DISK_FULL); null: it goes on'),
});
const done = z.object({
  type: z.literal('done'),
  at,
  status: z.enum(jobStatuses).extract(['succeeded', 'failed', 'cancelled']),
  modelVersion: z.int().positive().nullable(),
  error: error.nullable(),
});

/** `done` is always the last event. */
export const jobEventSchema = z
  .discriminatedUnion('type', [queued, started, progress, epoch, checkpoint, promoted, kept, trouble, done])
  .meta({ id: 'JobEvent' });
export type JobEvent = z.output<typeof jobEventSchema>;

/** The loss curve of a run, made of its `progress` events, and its epochs. */
export const jobMetricsSchema = z
  .object({
    id: z.string(),
    status: z.enum(jobStatuses),
    steps: z.int().nullable().describe('In the whole run; null before it started'),
    curve: z
      .array(z.object({ step: z.int(), epoch: z.int(), loss: z.number(), imagesPerSecond: z.number() }))
      .describe('At most 1000 points, by step'),
    epochs: z.array(epochSchema),
  })
  .meta({ id: 'JobMetrics' });
export type JobMetrics = z.output<typeof jobMetricsSchema>;
