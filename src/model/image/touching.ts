/**
 * Whether one shape of ink is several digits that touch: a network of one hidden layer over shares and counts of the shape.
 */
import type { CleanInk } from './clean-ink.ts';
import type { Character } from './find-characters.ts';
import { type Mask, maskOf, ownLabels } from './mask.ts';
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

/** The character's own strong ink, cut out. */
export function shapeMask({ labels, ink }: CleanInk, { box, labels: own }: Character): Mask {
  return maskOf({ values: labels, width: ink.width }, box, ownLabels(own));
}
