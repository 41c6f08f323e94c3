/** The outermost pixels: what they say of the background. */
import { medianOf, nth } from '../../lib/counts.ts';
import type { Greys } from './greys.ts';

export type Border = {
  readonly counts: Uint32Array; // [256], pixels of each grey on the four edges, corners twice
  readonly size: number; // pixels
  readonly level: number; // their median
  readonly noise: number; // their standard deviation as far as it is not ink, in levels; 0 for a flat tone
};

export function borderOf(greys: Greys): Border {
  const counts = edgeCounts(greys);
  const size = 2 * (greys.width + greys.height);
  const level = medianOf(counts);
  const halfDistances = new Uint32Array(2 * 255 + 1); // from the level, in half levels
  for (let value = 0; value < 256; value++) halfDistances[Math.abs(2 * (value - level))]! += counts[value]!;
  // A quarter of a normal distribution lies within 0.3186 σ; that quartile ignores ink on half the border.
  return { counts, size, level, noise: nth(halfDistances, size >> 2) / 2 / 0.3186 };
}

function edgeCounts({ values, width, height }: Greys): Uint32Array {
  const counts = new Uint32Array(256);
  for (let x = 0; x < width; x++) {
    counts[values[x]!]!++;
    counts[values[(height - 1) * width + x]!]!++;
  }
  for (let y = 0; y < height; y++) {
    counts[values[y * width]!]!++;
    counts[values[y * width + width - 1]!]!++;
  }
  return counts;
}
