/**
 * Whether one shape of ink is several digits that touch: a network of one hidden layer over shares and counts of the shape.
 */
import type { CleanInk } from './clean-ink.ts';
import type { Character } from './find-characters.ts';
import { heightOf, widthOf } from './shapes.ts';
import type { Mask } from './straight-lines.ts';
import { touchingFeatures } from './touching-features.ts';
import { hidden, output, scale } from './touching-weights.ts';

const enough = 48; // pixels of height
const farthest = 4; // standard deviations; what is farther out counts as that far

/** Log-odds that the shape is two or more digits: above 0 it rather is. */
export function touchingScore(mask: Mask): number {
  const features = touchingFeatures(thinned(mask)).map((value, i) => {
    const { mean, deviation } = scale[i]!;
    return Math.min(farthest, Math.max(-farthest, (value - mean) / deviation));
  });
  const units = hidden.map((weights) => Math.tanh(weighted(weights, features)));
  return weighted(output, units);
}

function weighted(weights: readonly number[], values: readonly number[]): number {
  return values.reduce((sum, value, i) => sum + weights[i]! * value, weights[values.length]!);
}

/** Every second, third … pixel of a large mask; a mask whose strokes are so thin that none is left stays as it is. */
function thinned(mask: Mask): Mask {
  const step = Math.floor(mask.height / enough);
  if (step < 2) return mask;
  const [width, height] = [Math.floor(mask.width / step), Math.floor(mask.height / step)];
  const at = (i: number) => Math.floor(i / width) * step * mask.width + (i % width) * step;
  const pixels = Uint8Array.from({ length: width * height }, (_, i) => mask.pixels[at(i)]!);
  return pixels.includes(1) ? { pixels, width, height } : mask;
}

/** 1 at each of the labels; a lookup for every pixel may not depend on how many there are. */
export function ownLabels(labels: readonly number[]): Uint8Array {
  const isOwn = new Uint8Array(1 + Math.max(0, ...labels));
  for (const label of labels) isOwn[label] = 1;
  return isOwn;
}

/** The character's own strong ink, cut out. */
export function maskOf({ labels, ink }: CleanInk, { box, labels: own }: Character): Mask {
  const [width, height] = [widthOf(box), heightOf(box)];
  const pixels = new Uint8Array(width * height);
  const isOwn = ownLabels(own);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      pixels[y * width + x] = isOwn[labels[(box.y0 + y) * ink.width + box.x0 + x]!] ?? 0;
  return { pixels, width, height };
}
