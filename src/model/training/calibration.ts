/**
 * Calibration: what makes a network's confidence mean what it says, and tells what is none of the labels. It is fitted on training
 * images that were held back, never on test images.
 *
 * The confidence is the softmax of the logits over a temperature (Guo et al., 2017, "On calibration of modern neural
 * networks"). The score, the probability that the image shows a label at all, comes from the logits' energy (Liu et al., 2020,
 * "Energy-based out-of-distribution detection"): "none of these" has the logit 0.
 */
import { z } from 'zod';
import type { Split } from '../data/dataset.ts';
import { indexOfMaximum, logSumExp, rowOf } from './softmax.ts';

export const calibrationSchema = z.object({
  temperature: z.number().positive().describe('The logits are divided by it'),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .nullable()
    .describe(
      'A score below it is called `unknown`; null: trained without outliers, so the score says nothing',
    ),
  ece: z.number().min(0).max(1).describe('Expected calibration error on the images that it was fitted on'),
  falseAlarms: z.number().min(0).max(1).describe('Share of those images that are called `unknown`'),
  images: z.int().positive().describe('Training images that were held back for it'),
  method: z.string(),
});
export type Calibration = z.output<typeof calibrationSchema>;

const mostFalseAlarms = 0.005; // share of the images
const method = 'temperature scaling; energy score with a threshold for at most 0.5 % false alarms';

/**
 * Fits a calibration to logits [count × C] and labels [count]. `rejects`: the network was trained with outliers; only then
 * do its logits say whether an image shows a label at all.
 */
export function calibrate(logits: Float32Array, labels: Split['labels'], rejects: boolean): Calibration {
  const temperature = fitTemperature(logits, labels);
  const scores = Float64Array.from(rowsOf(logits, labels), scoreOf).toSorted();
  const alarms = Math.floor(mostFalseAlarms * scores.length);
  return {
    temperature,
    threshold: rejects ? scores[alarms]! : null, // so many lie below it
    ece: reliabilityOf(logits, labels, temperature).ece,
    falseAlarms: rejects ? alarms / scores.length : 0,
    images: labels.length,
    method,
  };
}

/** The probability, 0 … 1, that the image of a row of logits [C] shows a label at all. */
export function scoreOf(logits: ArrayLike<number>): number {
  return 1 / (1 + Math.exp(-logSumExp(logits, 0, logits.length)));
}

export const reliabilitySchema = z.object({
  temperature: z.number().positive(),
  ece: z
    .number()
    .min(0)
    .max(1)
    .describe('Expected calibration error: the mean gap of the bins, by their images'),
  nll: z.number().nonnegative().describe('Mean negative log-likelihood, calibrated'),
  bins: z
    .array(
      z.object({
        images: z.int().nonnegative(),
        confidence: z.number().min(0).max(1).describe('Mean of the bin; 0 where it has no images'),
        accuracy: z.number().min(0).max(1),
      }),
    )
    .describe('Images by confidence, in equal steps from 0 to 1'),
});
/** How far confidences hold (a reliability diagram's data). */
export type Reliability = z.output<typeof reliabilitySchema>;

const binCount = 15;

/** Compares confidence with accuracy over logits [count × C] and labels [count]. */
export function reliabilityOf(
  logits: Float32Array,
  labels: Split['labels'],
  temperature: number,
): Reliability {
  const sums = Array.from({ length: binCount }, () => ({ images: 0, confidence: 0, correct: 0 }));
  for (const [i, row] of rowsOf(logits, labels).entries()) {
    const { label, confidence } = surest(row, temperature);
    const bin = sums[Math.min(binCount - 1, Math.floor(confidence * binCount))]!;
    bin.images++;
    bin.confidence += confidence;
    if (label === labels[i]) bin.correct++;
  }
  const gap = sums.reduce((sum, { confidence, correct }) => sum + Math.abs(confidence - correct), 0);
  const bins = sums.map(({ images, confidence, correct }) => {
    return { images, confidence: confidence / Math.max(1, images), accuracy: correct / Math.max(1, images) };
  });
  return { temperature, ece: gap / labels.length, nll: lossAt(logits, labels, temperature), bins };
}

/** The likeliest label of a row of logits [C], and its calibrated probability. */
export function surest(logits: ArrayLike<number>, temperature: number) {
  const label = indexOfMaximum(logits, 0, logits.length);
  const total = logSumExp(logits, 0, logits.length, temperature);
  return { label, confidence: Math.min(1, Math.exp(logits[label]! / temperature - total)) };
}

function rowsOf(logits: Float32Array, labels: Split['labels']): Float32Array[] {
  const length = logits.length / labels.length;
  return Array.from(labels, (_, i) => rowOf(logits, length, i));
}

/** The mean cross-entropy with the logits divided by `temperature`. */
function lossAt(logits: Float32Array, labels: Split['labels'], temperature: number): number {
  const length = logits.length / labels.length;
  let sum = 0;
  for (const [i, label] of labels.entries()) {
    const start = i * length;
    sum += logSumExp(logits, start, length, temperature) - logits[start + label]! / temperature;
  }
  return Math.max(0, sum / labels.length);
}

const coldest = Math.log(0.05);
const hottest = Math.log(20);
const priorSpread = 0.5; // standard deviation of the logarithm
const golden = (Math.sqrt(5) - 1) / 2;

/**
 * Golden-section search over the logarithm of the temperature, in which the loss has one minimum. A normal prior around
 * the temperature 1 counts as much as a few images: without it, a handful that are all read right would make the network
 * as sure as it can be.
 */
function fitTemperature(logits: Float32Array, labels: Split['labels']): number {
  let [low, high] = [coldest, hottest];
  const loss = (log: number) =>
    lossAt(logits, labels, Math.exp(log)) + (log / priorSpread) ** 2 / (2 * labels.length);
  let [left, right] = [high - golden * (high - low), low + golden * (high - low)];
  let [atLeft, atRight] = [loss(left), loss(right)];
  while (high - low > 1e-3) {
    if (atLeft < atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - golden * (high - low);
      atLeft = loss(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + golden * (high - low);
      atRight = loss(right);
    }
  }
  return Math.exp((low + high) / 2);
}
