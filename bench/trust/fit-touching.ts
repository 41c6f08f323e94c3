/**
 * `tsx bench/trust/fit-touching.ts`: fits the small network of `src/model/image/touching.ts` to MNIST training digits, alone
 * and two of them touching, prints how many of each it flags on test digits, and writes `touching-weights.ts`.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { type Random, randomFor, uniform } from '../../src/lib/random.ts';
import { readSplit } from '../../src/model/data/built-in.ts';
import { imageAt, type Split } from '../../src/model/data/dataset.ts';
import { heightOf, widthOf } from '../../src/model/image/box.ts';
import type { Mask } from '../../src/model/image/mask.ts';
import { findShapes } from '../../src/model/image/shapes.ts';
import { featureCount, touchingFeatures } from '../../src/model/image/touching-features.ts';
import { between, stamp } from './canvas.ts';

const [units, epochs, batch, rate] = [10, 60, 64, 0.01];
const digitWeight = 3; // one digit taken for two is worse than the other way round
const [count, testCount, height] = [6000, 4000, 48];

type Example = { readonly features: readonly number[]; readonly isTwo: boolean };

/** The digit's ink, `high` pixels high. */
function digitMask(split: Split, random: Random, high: number): Mask {
  const pixels = new Uint8Array(imageAt(split, uniformInt(random, 0, split.count - 1)));
  const first = stamp(pixels, 56);
  const side = Math.max(24, Math.round((56 * high) / Math.max(first.height, 0.7 * first.width)));
  const { ink, width, height: rows } = stamp(pixels, side);
  return { pixels: Uint8Array.from(ink, (value) => (value > 0.4 ? 1 : 0)), width, height: rows };
}

function moved(
  mask: Mask,
  width: number,
  rows: number,
  place: (x: number, y: number) => readonly [number, number],
): Mask {
  const pixels = new Uint8Array(width * rows);
  for (let i = 0; i < mask.pixels.length; i++) {
    if (!mask.pixels[i]) continue;
    const [x, y] = place(i % mask.width, Math.floor(i / mask.width));
    if (x >= 0 && x < width && y >= 0 && y < rows) pixels[y * width + x] = 1;
  }
  return { pixels, width, height: rows };
}

/** The largest shape, cut out. */
function largest(mask: Mask): Mask {
  const { labels, shapes } = findShapes(mask);
  const { box, label } = shapes[0]!;
  const own = { ...mask, pixels: mask.pixels.map((_, i) => (labels[i] === label ? 1 : 0)) };
  return moved(own, widthOf(box), heightOf(box), (x, y) => [x - box.x0, y - box.y0]);
}

function slanted(mask: Mask, slant: number): Mask {
  const room = Math.ceil(Math.abs(slant) * mask.height);
  const place = (x: number, y: number) => [x + room + Math.round(slant * (y - mask.height / 2)), y] as const;
  return largest(moved(mask, mask.width + 2 * room, mask.height, place));
}

/** Two digits so near that some of their ink overlaps. */
function twoMask(one: Mask, other: Mask, overlap: number, down: number): Mask {
  const rows = Math.max(one.height, other.height) + 20;
  const first = moved(one, one.width, rows, (x, y) => [x, y + 10]);
  const second = moved(other, other.width, rows, (x, y) => [x, y + 10 + down]);
  let nearest = one.width;
  for (let y = 0; y < rows; y++) {
    const end = first.pixels.subarray(y * first.width, (y + 1) * first.width).lastIndexOf(1);
    const start = second.pixels.subarray(y * second.width, (y + 1) * second.width).indexOf(1);
    if (end >= 0 && start >= 0) nearest = Math.min(nearest, first.width - 1 - end + start);
  }
  const left = Math.max(0, Math.round(first.width - nearest - overlap));
  const both = moved(first, Math.max(first.width, left + second.width), rows, (x, y) => [x, y]);
  const shifted = moved(second, both.width, rows, (x, y) => [x + left, y]);
  return largest({ ...both, pixels: both.pixels.map((pixel, i) => pixel | shifted.pixels[i]!) });
}

function examples(split: Split, pairs: number, random: Random): Example[] {
  return Array.from({ length: pairs }, (_, i): Example[] => {
    const digit = largest(digitMask(split, random, height * between(random, 0.85, 1.1)));
    const one = i % 2 === 0 ? digit : slanted(digit, between(random, -0.35, 0.35));
    const [left, right] = [1, 2].map(() => digitMask(split, random, height * between(random, 0.85, 1.1))) as [
      Mask,
      Mask,
    ];
    const two = twoMask(left, right, between(random, 1, 5), Math.round(between(random, -4, 4)));
    return [
      { features: touchingFeatures(one), isTwo: false },
      { features: touchingFeatures(two), isTwo: true },
    ];
  }).flat();
}

type Scale = { readonly mean: number; readonly deviation: number };

function scaleOf(all: readonly Example[]): Scale[] {
  return Array.from({ length: featureCount }, (_, n) => {
    const mean = all.reduce((sum, { features }) => sum + features[n]!, 0) / all.length;
    const variance = all.reduce((sum, { features }) => sum + (features[n]! - mean) ** 2, 0) / all.length;
    const [middle, deviation] = short([mean, Math.sqrt(variance) || 1]) as [number, number];
    return { mean: middle, deviation };
  });
}

const scaled = (features: readonly number[], scale: readonly Scale[]) =>
  features.map((value, n) => Math.min(4, Math.max(-4, (value - scale[n]!.mean) / scale[n]!.deviation)));

const width = featureCount + 1; // weights of a hidden unit, its bias last

/** `parameters`: [units × 13], then [11] of the output. `activations` [10] is filled. */
function logit(parameters: Float64Array, values: readonly number[], activations: Float64Array): number {
  let sum = parameters[units * width + units]!;
  for (let unit = 0; unit < units; unit++) {
    let input = parameters[unit * width + featureCount]!;
    for (let n = 0; n < featureCount; n++) input += parameters[unit * width + n]! * values[n]!;
    activations[unit] = Math.tanh(input);
    sum += parameters[units * width + unit]! * activations[unit]!;
  }
  return sum;
}

function addGradient(
  gradient: Float64Array,
  parameters: Float64Array,
  values: readonly number[],
  isTwo: boolean,
): void {
  const activations = new Float64Array(units);
  const probability = 1 / (1 + Math.exp(-logit(parameters, values, activations)));
  const error = ((probability - Number(isTwo)) * (isTwo ? 1 : digitWeight)) / batch;
  gradient[units * width + units]! += error;
  for (let unit = 0; unit < units; unit++) {
    gradient[units * width + unit]! += error * activations[unit]!;
    const inner = error * parameters[units * width + unit]! * (1 - activations[unit]! ** 2);
    for (let n = 0; n < featureCount; n++) gradient[unit * width + n]! += inner * values[n]!;
    gradient[unit * width + featureCount]! += inner;
  }
}

/** Adam with a rate that falls to 0. */
function fit(all: readonly Example[], scale: readonly Scale[], random: Random): Float64Array {
  const parameters = Float64Array.from(uniform(random, units * width + units + 1, 0.3));
  const [first, second] = [new Float64Array(parameters.length), new Float64Array(parameters.length)];
  const inputs = all.map(({ features }) => scaled(features, scale));
  const steps = Math.floor((epochs * all.length) / batch);
  for (let step = 1; step <= steps; step++) {
    const gradient = new Float64Array(parameters.length);
    for (let n = 0; n < batch; n++) {
      const i = uniformInt(random, 0, all.length - 1);
      addGradient(gradient, parameters, inputs[i]!, all[i]!.isTwo);
    }
    for (let i = 0; i < parameters.length; i++) {
      first[i] = 0.9 * first[i]! + 0.1 * gradient[i]!;
      second[i] = 0.999 * second[i]! + 0.001 * gradient[i]! ** 2;
      const size = Math.sqrt(second[i]! / (1 - 0.999 ** step)) + 1e-8;
      parameters[i]! -= (rate * (1 - step / steps) * first[i]!) / (1 - 0.9 ** step) / size;
    }
  }
  return parameters;
}

const short = (values: Iterable<number>) => [...values].map((value) => Number(value.toPrecision(4)));

async function write(parameters: Float64Array, scale: readonly Scale[]): Promise<void> {
  const rows = Array.from({ length: units }, (_, unit) =>
    short(parameters.subarray(unit * width, (unit + 1) * width)),
  );
  const source = `/** Weights of the small network in \`touching.ts\`, fitted by \`bench/trust/fit-touching.ts\` to MNIST training digits. */

export const scale: readonly { readonly mean: number; readonly deviation: number }[] = ${JSON.stringify(scale)};

/** For each hidden unit: its weights of the features, then its bias. */
export const hidden: readonly (readonly number[])[] = ${JSON.stringify(rows)};

/** The output's weights of the hidden units, then its bias. */
export const output: readonly number[] = ${JSON.stringify(short(parameters.subarray(units * width)))};
`;
  await writeFile(path.join(import.meta.dirname, '../../src/model/image/touching-weights.ts'), source);
}

const training = examples(await readSplit('mnist', 'train'), count, randomFor(1, 'touching digits'));
const scale = scaleOf(training);
const parameters = fit(training, scale, randomFor(1, 'weights'));
const held = examples(await readSplit('mnist', 'test'), testCount, randomFor(2, 'touching digits'));
const scores = held.map(({ features }) =>
  logit(parameters, scaled(features, scale), new Float64Array(units)),
);
for (const threshold of [1, 2, 3, 4, 5]) {
  const flagged = (isTwo: boolean) =>
    (100 * held.filter((example, i) => example.isTwo === isTwo && scores[i]! > threshold).length) / testCount;
  console.log(
    `above ${threshold}: ${flagged(false).toFixed(2)} % of one, ${flagged(true).toFixed(1)} % of two`,
  );
}
await write(parameters, scale);
