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

/** Every second, third … pixel of a large mask: what is counted does not depend on the size. */
function thinned(mask: Mask): Mask {
  const step = Math.floor(mask.height / enough);
  if (step < 2) return mask;
  const [width, height] = [Math.floor(mask.width / step), Math.floor(mask.height / step)];
  const at = (i: number) => Math.floor(i / width) * step * mask.width + (i % width) * step;
  return {
    pixels: Uint8Array.from({ length: width * height }, (_, i) => mask.pixels[at(i)]!),
    width,
    height,
  };
}

/** The character's own strong ink, cut out. */
export function maskOf({ labels, ink }: CleanInk, { box, labels: own }: Character): Mask {
  const [width, height] = [widthOf(box), heightOf(box)];
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const label = labels[(box.y0 + y) * ink.width + box.x0 + x]!;
      if (label !== 0 && own.includes(label)) pixels[y * width + x] = 1;
    }
  }
  return { pixels, width, height };
}
