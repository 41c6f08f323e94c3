/**
 * The evaluation that is published with each version: what the model gets wrong on the test images, as a confusion
 * matrix and the misread images with the highest confidence.
 */
import { z } from 'zod';
import type { Split } from '../data/dataset.ts';
import { mostLabels } from '../data/labels.ts';
import { reliabilityOf, reliabilitySchema, surest } from './calibration.ts';
import type { Answers } from './evaluate.ts';
import { correctionResultsSchema } from './measure-corrections.ts';
import { rowOf } from './softmax.ts';

const position = z
  .int()
  .min(0)
  .max(mostLabels - 1);
const count = z.int().nonnegative();
const mostMisread = 100;
const readableMatrix = 100; // labels; a larger matrix is megabytes of zeros

const misreadSchema = z.object({
  index: count.describe('Of the test image: /datasets/NAME/test/INDEX.png'),
  label: position.describe('What it shows, as a position in `labels`'),
  digit: position.describe('What the network takes it for, likewise'),
  confidence: z.number().min(0).max(1).describe('The probability that the network gives to that'),
});

export const evaluationSchema = z.object({
  dataset: z.string(),
  labels: z
    .array(z.string())
    .exactOptional()
    .describe('What the positions stand for; older versions have none: the digits 0 to 9'),
  images: count.describe('The first so many test images'),
  accuracy: z.number().min(0).max(1).describe('Share of the images that are read right'),
  confusion: z
    .array(z.array(count))
    .nullable()
    .describe(`Images by label (row) and by answer (column); null with more than ${readableMatrix} labels`),
  misread: z
    .array(misreadSchema)
    .max(mostMisread)
    .describe(`The surest wrong answers first, ${mostMisread} at most`),
  reliability: reliabilitySchema
    .exactOptional()
    .describe('How far its confidences hold on the test images; older versions have none'),
  corrections: correctionResultsSchema
    .exactOptional()
    .describe('How it reads corrections; none where it was not trained on any'),
});
export type Evaluation = z.output<typeof evaluationSchema>;

/** `temperature`: that of the calibration; 1 without one. */
export function summarise(
  { name: dataset, labels: names }: { readonly name: string; readonly labels: readonly string[] },
  { count: images, labels }: Pick<Split, 'count' | 'labels'>,
  { predictions, logits }: Pick<Answers, 'predictions' | 'logits'>,
  temperature = 1,
): Evaluation {
  const length = names.length;
  const confusion =
    length > readableMatrix ? null : Array.from({ length }, () => Array.from({ length }, () => 0));
  const misread: z.output<typeof misreadSchema>[] = [];
  for (let index = 0; index < images; index++) {
    const [label, answer] = [labels[index]!, predictions[index]!];
    if (confusion) confusion[label]![answer]!++;
    if (answer === label) continue;
    const { confidence } = surest(rowOf(logits, length, index), temperature);
    misread.push({ index, label, digit: answer, confidence });
  }
  misread.sort((a, b) => b.confidence - a.confidence); // stable: of equals, the first image first
  const accuracy = (images - misread.length) / images;
  const reliability = reliabilityOf(logits, labels.subarray(0, images), temperature);
  return {
    dataset,
    labels: [...names],
    images,
    accuracy,
    confusion,
    misread: misread.slice(0, mostMisread),
    reliability,
  };
}

/** Encodes an evaluation as one line of JSON. */
export function encodeEvaluation(evaluation: Evaluation): Buffer {
  return Buffer.from(`${JSON.stringify(evaluation)}\n`);
}
