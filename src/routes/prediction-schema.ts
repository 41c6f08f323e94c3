/** The answer of POST /predict. */
import { z } from 'zod';
import { warningCodes } from '../model/image/warnings.ts';
import { aliasName, modelName } from '../model/registry/names.ts';
import { verdicts } from '../model/serving/answer.ts';

const probability = z.number().min(0).max(1);
export const predictionSchema = z
  .object({
    label: z.string().describe('The likeliest label'),
    digit: z.int().min(0).max(9),
    confidence: probability.describe('How often such an answer is right, if `calibrated`'),
    probabilities: z.array(probability).length(10),
    verdict: z
      .enum(verdicts)
      .describe('`unsure`: better looked at by a person; `unknown`: none of the labels'),
    score: probability
      .nullable()
      .describe('How likely it is one of the labels; null: the version was trained without'),
    calibrated: z.boolean().describe('False for versions that were trained without calibration'),
    warnings: z
      .array(z.object({ code: z.enum(warningCodes), message: z.string() }))
      .describe('What was seen in the picture, or taken away, before it was read'),
    model: z.object({
      name: modelName,
      alias: aliasName.nullable().describe('By which it was chosen; null: the request named the version'),
      version: z.int().positive(),
      jobId: z.string(),
      epoch: z.int().positive(),
      testAccuracy: z.number(),
    }),
    top: z
      .array(z.object({ digit: z.int().min(0).max(9), probability }))
      .exactOptional()
      .describe('With `top=N`'),
    timings: z.object({ decodeMs: z.number(), queueMs: z.number(), inferMs: z.number() }),
    input: z
      .base64()
      .exactOptional()
      .describe('With `include=input`: a 28×28 grey PNG, pixel for pixel what the network saw'),
  })
  .meta({ id: 'Prediction' });

export const predictionsSchema = z.object({ predictions: z.array(predictionSchema) });
