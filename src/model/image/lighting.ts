/**
 * Uneven light and noise, taken out before ink is looked for. A drawing whose border is one flat tone
 * is left untouched, so that clean images keep their exact values.
 */
import type { Greys } from './greys.ts';
import { type Survey, survey } from './survey.ts';

const calmSide = 140; // pixels; a digit that fills a fifth of it still has 28
const maxSlope = 64; // levels from edge to edge; more than that is a motif, not lighting

export type Evened = {
  readonly even: Survey;
  readonly block: number; // pixels of the picture that one grey is the mean of, along each side
};

export function evenOut(picture: Survey): Evened {
  if (picture.border.noise === 0) return { even: picture, block: 1 };
  const { greys } = picture;
  const block = blockOf(greys);
  const level = levelSlope(block === 1 ? greys : averageBlocks(greys, block));
  return { even: survey(level), block };
}

/** The side of the blocks that bring the longer side down to `calmSide`; 1 for a strip thinner than a block. */
function blockOf({ width, height }: Greys): number {
  const block = Math.ceil(Math.max(width, height) / calmSide);
  return Math.min(width, height) < block ? 1 : block;
}

/** Means of square blocks: grain and dust average out. */
export function averageBlocks(greys: Greys, block: number): Greys {
  const width = Math.floor(greys.width / block); // what does not fill a block is left out
  const height = Math.floor(greys.height / block);
  const values = new Uint8Array(width * height);
  const sums = new Uint32Array(width);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let line = y * block; line < (y + 1) * block; line++) addBlocks(sums, greys, line, block);
    for (let x = 0; x < width; x++) values[y * width + x] = Math.round(sums[x]! / (block * block));
  }
  return { values, width, height };
}

function addBlocks(sums: Uint32Array, { values, width }: Greys, line: number, block: number): void {
  let i = line * width;
  for (let x = 0; x < sums.length; x++) {
    let sum = 0;
    for (const end = i + block; i < end; i++) sum += values[i]!;
    sums[x]! += sum;
  }
}

/**
 * Takes out light that falls from one side: the slope between opposite edges, as the median over all
 * rows (columns), so that ink on less than half of an edge changes nothing.
 */
export function levelSlope(greys: Greys): Greys {
  const { values, width, height } = greys;
  const slopeX = edgeSlope(height, width, (y) => values[y * width + width - 1]! - values[y * width]!);
  const slopeY = edgeSlope(width, height, (x) => values[(height - 1) * width + x]! - values[x]!);
  if (slopeX === 0 && slopeY === 0) return greys;
  const levelled = new Uint8ClampedArray(values.length); // rounds and clips
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let light = slopeY * (y - (height - 1) / 2) - (slopeX * (width - 1)) / 2;
    for (let x = 0; x < width; x++, light += slopeX) levelled[row + x] = values[row + x]! - light;
  }
  return { values: new Uint8Array(levelled.buffer), width, height };
}

/** Levels a pixel along lines of `length` pixels. */
function edgeSlope(lines: number, length: number, difference: (line: number) => number): number {
  if (length < 2) return 0;
  const across = median(Float32Array.from({ length: lines }, (_, line) => difference(line)));
  return Math.abs(across) > maxSlope ? 0 : across / (length - 1);
}

/** The mean of the middle two where the count is even, so that the inverse image has the inverse slope. */
function median(values: Float32Array): number {
  const sorted = values.toSorted();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
