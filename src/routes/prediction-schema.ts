/** The query and the answers of POST /predict. */
import { z } from 'zod';
import { mostLabels } from '../model/data/labels.ts';
import { warningCodes } from '../model/image/warnings.ts';
import { aliasName, modelName } from '../model/registry/names.ts';
import { verdicts } from '../model/serving/answer.ts';

export const predictQuerySchema = z.strictObject({
  read: z
    .enum(['line'])
    .exactOptional()
    .describe('`line`: all characters from left to right, touching ones cut apart'),
  include: z.enum(['input']).exactOptional().describe('`input`: also the picture that the network saw'),
  model: modelName.exactOptional().describe('The model that is to answer'),
  alias: aliasName.exactOptional().describe('Answered by the version that this alias points to'),
  version: z.coerce.number().int().positive().exactOptional().describe('Answered by this version'),
  minVersion: z.coerce
    .number()
    .int()
    .positive()
    .exactOptional()
    .describe('Waits, up to 5 s, until the champion is this version or a newer one'),
  keep: z
    .enum(['true', 'false'])
    .exactOptional()
    .describe('`false`: the answer is not kept for review, though the server runs with KEEP_INPUTS=true'),
  top: z.coerce
    .number()
    .int()
    .min(1)
    .max(mostLabels)
    .exactOptional()
    .describe('Also the N likeliest labels, likeliest first'),
});

const digit = z.int().min(0).max(9);
const probability = z.number().min(0).max(1);
const modelSchema = z.object({
  name: modelName,
  alias: aliasName.nullable().describe('By which it was chosen; null: the request named the version'),
  version: z.int().positive(),
  jobId: z.string(),
  epoch: z.int().positive(),
  testAccuracy: z.number(),
});
const timingsSchema = z.object({ decodeMs: z.number(), queueMs: z.number(), inferMs: z.number() });
export const warningSchema = z.object({ code: z.enum(warningCodes), message: z.string() });
export const predictionSchema = z
  .object({
    label: z.string().describe('The likeliest label'),
    digit: digit.exactOptional().describe('The label as a number, where the labels are 0 to 9'),
    confidence: probability.describe('How often such an answer is right, if `calibrated`'),
    probabilities: z.array(probability).describe('In the order of the labels of the model'),
    verdict: z
      .enum(verdicts)
      .describe('`unsure`: better looked at by a person; `unknown`: none of the labels'),
    score: probability
      .nullable()
      .describe('How likely it is one of the labels; null: the version was trained without'),
    calibrated: z.boolean().describe('False for versions that were trained without calibration'),
    warnings: z
      .array(warningSchema)
      .describe('What was seen in the picture, or taken away, before it was read'),
    model: modelSchema,
    predictionId: z
      .uuid()
      .exactOptional()
      .describe('For POST /corrections; with KEEP_INPUTS=true, which keeps the picture, unless `keep=false`'),
    top: z
      .array(z.object({ label: z.string(), digit: digit.exactOptional(), probability }))
      .exactOptional()
      .describe('With `top=N`'),
    timings: timingsSchema,
    input: z
      .base64()
      .exactOptional()
      .describe('With `include=input`: a 28×28 grey PNG, pixel for pixel what the network saw'),
  })
  .meta({ id: 'Prediction' });

/** The answer of POST /predict?read=line. */
export const linePredictionSchema = z
  .object({
    text: z.string().describe('The label of each character, up to 60, from left to right'),
    characters: z.array(
      z.object({
        label: z.string(),
        confidence: probability,
        verdict: z.enum(verdicts),
        score: probability.nullable(),
        box: z
          .object({ x: z.int(), y: z.int(), width: z.int(), height: z.int() })
          .describe("In the picture's pixels, turned as its EXIF orientation says"),
      }),
    ),
    verdict: z
      .enum(verdicts)
      .describe(
        'The least of the verdicts on the characters; `unsure` with several lines or too many characters',
      ),
    calibrated: z.boolean(),
    warnings: z.array(warningSchema),
    model: modelSchema,
    timings: timingsSchema,
  })
  .meta({ id: 'LinePrediction' });
export const linePredictionsSchema = z.object({ predictions: z.array(linePredictionSchema) });

export const predictionsSchema = z.object({ predictions: z.array(predictionSchema) });
