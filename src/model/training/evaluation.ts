/**
 * The evaluation that is published with each version: what the model gets wrong on the test images, as a confusion
 * matrix and the misread images with the highest confidence.
 */
import { z } from 'zod';
import { classCount, type DatasetName, datasetNames, type Split } from '../data/dataset.ts';
import { reliabilityOf, reliabilitySchema, surest } from './calibration.ts';
import type { Answers } from './evaluate.ts';
import { correctionResultsSchema } from './measure-corrections.ts';

const digit = z
  .int()
  .min(0)
  .max(classCount - 1);
const count = z.int().nonnegative();
const mostMisread = 100;

const misreadSchema = z.object({
  index: count.describe('Of the test image: /datasets/NAME/test/INDEX.png'),
  label: digit.describe('What it shows'),
  digit: digit.describe('What the network takes it for'),
  confidence: z.number().min(0).max(1).describe('The probability that the network gives to that'),
});

export const evaluationSchema = z.object({
  dataset: z.enum(datasetNames),
  images: count.describe('The first so many test images'),
  accuracy: z.number().min(0).max(1).describe('Share of the images that are read right'),
  confusion: z
    .array(z.array(count).length(classCount))
    .length(classCount)
    .describe('Images by label (row) and by answer (column)'),
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
  dataset: DatasetName,
  { count: images, labels }: Pick<Split, 'count' | 'labels'>,
  { predictions, logits }: Pick<Answers, 'predictions' | 'logits'>,
  temperature = 1,
): Evaluation {
  const confusion = Array.from({ length: classCount }, () => Array.from({ length: classCount }, () => 0));
  const misread: z.output<typeof misreadSchema>[] = [];
  for (let index = 0; index < images; index++) {
    const [label, answer] = [labels[index]!, predictions[index]!];
    confusion[label]![answer]!++;
    if (answer === label) continue;
    const { confidence } = surest(logits, index * classCount, temperature);
    misread.push({ index, label, digit: answer, confidence });
  }
  misread.sort((a, b) => b.confidence - a.confidence); // stable: of equals, the first image first
  const accuracy = (images - misread.length) / images;
  const reliability = reliabilityOf(logits, labels.subarray(0, images), temperature);
  return { dataset, images, accuracy, confusion, misread: misread.slice(0, mostMisread), reliability };
}

/** Encodes an evaluation as one line of JSON. */
export function encodeEvaluation(evaluation: Evaluation): Buffer {
  return Buffer.from(`${JSON.stringify(evaluation)}\n`);
}
