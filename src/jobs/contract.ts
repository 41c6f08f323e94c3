/** The types that the API, the queue and the worker share: training requests, jobs as the API shows them, and their limits. */
import { z } from 'zod';
import { networkSpecification } from '../model/network/specification.ts';
import { type PromotePolicy, promotePolicies } from '../model/registry/gate.ts';
import { datasetName, modelName } from '../model/registry/names.ts';
import { promotionSchema } from '../model/registry/promotion.ts';
import {
  type RecipeTarget,
  recipeFor,
  recipeNameFor,
  recipeNames,
  scheduleNames,
  valuesOfEarlierPlans,
} from '../model/training/recipe.ts';

export const queueName = 'train';

const maxMetadataLength = 4096;
const setExpected =
  'expected true, false or the SHA-256 of a set that an earlier job has frozen, 64 hexadecimal digits';

/** The body of POST /jobs/train. All fields are optional; unknown fields are refused. */
export const trainRequestSchema = z
  .strictObject({
    recipe: z
      .enum(recipeNames)
      .exactOptional()
      .describe('Named set of the values below; unless given, `small` for few images, `default` for many'),
    model: modelName
      .exactOptional()
      .describe("The line of versions that it publishes to; by default the data set's name"),
    promote: z
      .enum(promotePolicies)
      .exactOptional()
      .describe(
        'Whether its versions may become champion: unless they are significantly worse, always, never',
      ),
    dataset: datasetName.default('mnist'),
    network: networkSpecification
      .exactOptional()
      .describe('A name, or the layers before the last one, which follows from the labels'),
    epochs: z.int().min(1).max(1000).exactOptional(),
    passes: z.int().min(1).max(1000).exactOptional().describe('How often an epoch goes through the images'),
    patience: z
      .int()
      .min(1)
      .max(1000)
      .nullable()
      .exactOptional()
      .describe(
        'Publishes an epoch only if its loss on the images held back is the lowest so far, and ends after so many epochs without; without a number, publishes all',
      ),
    batchSize: z.int().min(1).max(4096).exactOptional(),
    learningRate: z.number().positive().max(1000).exactOptional().describe('Peak rate of Adam'),
    schedule: z.enum(scheduleNames).exactOptional().describe('Course of the learning rate'),
    warmup: z.number().min(0).max(0.9).exactOptional().describe('Share of all steps that rise to the peak'),
    labelSmoothing: z.number().min(0).max(0.5).exactOptional(),
    shuffle: z.boolean().exactOptional().describe('Whether each epoch has an order of its own'),
    balance: z
      .boolean()
      .exactOptional()
      .describe('Whether images of rare labels are shown more often, up to ten times'),
    augment: z
      .boolean()
      .exactOptional()
      .describe('Whether each image is turned, scaled, slanted and shifted a little, anew each time'),
    otherHands: z
      .number()
      .min(0)
      .max(1)
      .exactOptional()
      .describe(
        'Share of the images of 1, 2, 4, 7 and 9 that are replaced by ones drawn as other writers write them',
      ),
    outliers: z
      .number()
      .min(0)
      .max(4)
      .exactOptional()
      .describe(
        'Made pictures of none of the labels in each batch, as a share of its size; with 0, nothing is learnt about them',
      ),
    calibrationImages: z
      .int()
      .min(0)
      .max(10_000)
      .exactOptional()
      .describe(
        'The last training images, at most so many, are held back to calibrate on; with 0, nothing is calibrated',
      ),
    trainImages: z
      .int()
      .min(1)
      .max(10_000_000)
      .nullable()
      .exactOptional()
      .describe('Only the first so many; without a number, all'),
    corrections: z
      .union([z.boolean(), z.string().regex(/^[0-9a-f]{64}$/, { error: setExpected })], {
        error: setExpected,
      })
      .default(false)
      .describe(
        "Whether it also trains on the model's corrections. `true` freezes those of now; the job shows the SHA-256 of the set, with which another job trains on the same ones",
      ),
    seed: z.int().min(0).max(0xffffffff).default(1).describe('Source of everything random'),
    testImages: z
      .int()
      .min(100) // with fewer, a model that always gives one answer could be right on all of them
      .max(10_000)
      .nullable()
      .default(null)
      .describe('Only the first so many; without a number, all'),
    metadata: z
      .record(z.string().max(64), z.union([z.string().max(1024), z.number(), z.boolean()]))
      .default({})
      .refine((value) => JSON.stringify(value).length <= maxMetadataLength, {
        error: `expected at most ${maxMetadataLength} characters of JSON`,
      })
      .describe('Kept with the job, not interpreted'),
  })
  .meta({ id: 'TrainRequest' });
export type TrainRequest = z.output<typeof trainRequestSchema>;

/** A request with the recipe's values filled in, as the trainer gets it and the job shows it. */
export const resolvedRequestSchema = trainRequestSchema
  .required()
  .extend({
    corrections: z
      .union([z.literal(false), z.string()])
      .describe('The SHA-256 of the frozen set that it also trains on; false: none'),
  })
  .meta({ id: 'ResolvedRequest' });
export type ResolvedRequest = z.output<typeof resolvedRequestSchema>;

/**
 * A request as it was queued, maybe by an earlier version of this program, which knew fewer values. What it lacks did not
 * exist then, so nothing of it is done now: the job trains as it was asked to.
 */
export function completed(request: QueuedRequest): ResolvedRequest {
  return { ...valuesOfEarlierPlans, model: request.dataset, promote: 'unless-worse', ...request };
}

type NewValue = keyof typeof valuesOfEarlierPlans | 'model' | 'promote';
/** A request in the queue. */
export type QueuedRequest = Omit<ResolvedRequest, NewValue> & Partial<Pick<ResolvedRequest, NewValue>>;

/**
 * `target`: the data set that it trains on. `promote`: what the service does unless the request says otherwise.
 * `corrections`: the SHA-256 of the set, where the request asks for corrections.
 */
export function resolveRequest(
  request: TrainRequest,
  target: RecipeTarget,
  promote: PromotePolicy = 'unless-worse',
  corrections: string | false = false,
): ResolvedRequest {
  const recipe = request.recipe ?? recipeNameFor(target);
  const named = { model: modelTrained(request), promote, recipe };
  return { ...named, ...recipeFor(recipe, target), ...request, corrections };
}

/** The model that a request trains. */
export function modelTrained({ model, dataset }: Pick<TrainRequest, 'model' | 'dataset'>): string {
  return model ?? dataset;
}

/** What is trained, without what becomes of it. A resume point belongs to one plan. */
export function planOf(request: ResolvedRequest): Omit<ResolvedRequest, 'model' | 'promote'> {
  const { model: _, promote: __, ...plan } = request;
  return plan;
}

export const jobStatuses = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof jobStatuses)[number];

export const progressSchema = z
  .object({
    epoch: z.int(),
    epochs: z.int(),
    step: z.int(),
    steps: z.int(),
    fraction: z.number(),
    loss: z.number(),
    imagesPerSecond: z.number(),
    etaSeconds: z.number(),
  })
  .meta({ id: 'Progress' });

export const epochSchema = z
  .object({
    epoch: z.int(),
    trainLoss: z.number(),
    testLoss: z.number(),
    testAccuracy: z.number(),
    seconds: z.number(),
    modelVersion: z.int(),
    promotion: promotionSchema.exactOptional(),
  })
  .meta({ id: 'Epoch' });

export const engineSchema = z
  .object({
    name: z.string(),
    device: z.string(),
    gpu: z.boolean(),
    fallback: z.string().nullable().describe('Why it is not the faster engine; null where it is'),
  })
  .meta({ id: 'Engine' });

/** The job as GET /jobs/:id shows it. */
export const trainJobSchema = z
  .object({
    id: z.string(),
    status: z.enum(jobStatuses),
    request: resolvedRequestSchema,
    datasetSha256: z
      .string()
      .exactOptional()
      .describe('Of the pictures of its data set when it was queued; none for a built-in one'),
    progress: progressSchema.nullable(),
    epochs: z.array(epochSchema),
    engine: engineSchema.nullable().describe('What the job runs on; null before it started'),
    queuePosition: z.int().nullable().describe('1 is next; null unless queued'),
    attempt: z.int().describe('Starts so far, one that was handed over by a closing worker included'),
    resumedFromStep: z.int().nullable().describe('Where the newest attempt went on; null: at the beginning'),
    modelVersion: z.int().nullable().describe('The newest version that this job has published'),
    promotion: promotionSchema.nullable().describe('What was decided about that version; null before'),
    error: z
      .object({ code: z.string(), message: z.string() })
      .nullable()
      .describe('Why it failed; while it runs, what it waits for (DISK_FULL, REGISTRY_NOT_WRITABLE)'),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().nullable(),
    finishedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Job' });
export type TrainJob = z.output<typeof trainJobSchema>;

/** The data of a job in the queue. Only the cancel mark is changed later. */
export type TrainJobData = {
  readonly request: QueuedRequest;
  readonly datasetSha256?: string; // of an imported data set; jobs that an earlier version queued lack it
  readonly cancelRequestedAt: string | null;
  readonly requestId: string | null; // of the HTTP request; jobs that an earlier version queued lack it
};

/** The state of a running job as its worker reports it. Each report is complete and replaces the one before. */
export type TrainJobReport = {
  readonly engine: z.output<typeof engineSchema> | null;
  readonly progress: z.output<typeof progressSchema> | null;
  readonly epochs: readonly z.output<typeof epochSchema>[];
  readonly startedAt: string | null; // of the first attempt
  readonly resumedFromStep: number | null;
  readonly trouble: TrainJob['error']; // what the job waits for, while it runs
};

export const emptyReport: TrainJobReport = {
  engine: null,
  progress: null,
  epochs: [],
  startedAt: null,
  resumedFromStep: null,
  trouble: null,
};
