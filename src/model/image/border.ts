/** The outermost pixels: what they say of the background. */
import type { Greys } from './ink.ts';

export type Border = {
  readonly values: Float32Array; // the four edges, corners twice
  readonly level: number; // their median
  readonly noise: number; // their standard deviation as far as it is not ink, in levels; 0 for a flat tone
};

export function borderOf(greys: Greys): Border {
  const values = edgeValues(greys);
  const level = median(values);
  const distances = values.map((value) => Math.abs(value - level)).toSorted();
  // A quarter of a normal distribution lies within 0.3186 σ; that quartile ignores ink on half the border.
  return { values, level, noise: distances[distances.length >> 2]! / 0.3186 };
}

function edgeValues({ values, width, height }: Greys): Float32Array {
  const edges = new Float32Array(2 * (width + height));
  let n = 0;
  for (let x = 0; x < width; x++) {
    edges[n++] = values[x]!;
    edges[n++] = values[(height - 1) * width + x]!;
  }
  for (let y = 0; y < height; y++) {
    edges[n++] = values[y * width]!;
    edges[n++] = values[y * width + width - 1]!;
  }
  return edges;
}

/** The mean of the middle two where the count is even, so that the inverse image has the inverse median. */
export function median(values: Float32Array): number {
  const sorted = values.toSorted();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
