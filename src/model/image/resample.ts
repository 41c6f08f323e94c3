/** Scaling of an ink box to a map of ink, row-major, 0 to 255: area averages down, bilinear up. */

import type { Box } from './box.ts';
import type { Greys } from './greys.ts';
import type { Ink } from './ink.ts';

type InkTable = Pick<Ink, 'of'>;
type PlacedInk = Pick<Ink, 'of' | 'runs'>;

/** Ink that needs no table any more: a value is its own amount of ink. */
export const plainInk: InkTable = { of: Uint8Array.from({ length: 256 }, (_, i) => i) };

/**
 * Area averages: every source pixel gives its ink to the target pixels it lies on, by share. A copy at
 * scale 1, plain means at whole factors.
 */
export function shrink(greys: Greys, ink: PlacedInk, box: Box, width: number, height: number): Float32Array {
  const columns = spansOf(box.x0, box.x1, width);
  const scale = height / (box.y1 - box.y0 + 1);
  const row = new Float32Array(width);
  const target = new Float32Array(width * height);
  const { runs } = ink;
  for (let first = 0, next = 0; first < runs.row.length; first = next) {
    const y = runs.row[first]!;
    while (runs.row[next] === y) next++;
    if (y < box.y0 || y > box.y1) continue;
    shrinkRow(greys, ink, y, { from: runs.from[first]!, to: runs.to[next - 1]! }, columns, row);
    const top = (y - box.y0) * scale;
    const upper = Math.min(Math.floor(top), height - 1);
    const below = upper + 1 < height ? Math.max(0, top + scale - (upper + 1)) : 0; // on the next target row
    addRow(target, row, upper * width, scale - below);
    if (below > 0) addRow(target, row, (upper + 1) * width, below);
  }
  return target;
}

/** The source columns under one target column: whole ones, and the shares of those on either side. */
type Span = { readonly first: number; readonly end: number; readonly before: number; readonly after: number };

function spansOf(x0: number, x1: number, width: number): Span[] {
  const step = (x1 - x0 + 1) / width;
  return Array.from({ length: width }, (_, column) => {
    const [from, to] = [x0 + column * step, column + 1 < width ? x0 + (column + 1) * step : x1 + 1];
    const [first, end] = [Math.ceil(from), Math.floor(to)];
    return { first, end, before: first - from, after: to - end };
  });
}

function shrinkRow(
  { values, width }: Greys,
  { of }: InkTable,
  y: number,
  inked: { readonly from: number; readonly to: number },
  columns: Span[],
  row: Float32Array,
): void {
  const start = y * width;
  const scale = row.length / (columns.at(-1)!.end - columns[0]!.first);
  for (let column = 0; column < row.length; column++) {
    const { first, end, before, after } = columns[column]!;
    row[column] = 0;
    if (end < inked.from || first > inked.to) continue;
    let sum = 0;
    for (let i = start + first; i < start + end; i++) sum += of[values[i]!]!;
    if (before > 0) sum += before * of[values[start + first - 1]!]!;
    if (after > 0) sum += after * of[values[start + end]!]!;
    row[column] = sum * scale;
  }
}

function addRow(target: Float32Array, row: Float32Array, offset: number, weight: number): void {
  for (let x = 0; x < row.length; x++) target[offset + x]! += row[x]! * weight;
}

/** Bilinear between the pixels' centres, the outermost repeated at the edges. */
export function enlarge(greys: Greys, ink: InkTable, box: Box, width: number, height: number): Float32Array {
  const columns = taps(box.x0, box.x1, width);
  const target = new Float32Array(width * height);
  for (const [y, row] of taps(box.y0, box.y1, height).entries()) {
    for (const [x, column] of columns.entries()) {
      const at = (line: number, i: number) => ink.of[greys.values[line * greys.width + i]!]!;
      const upper = mix(at(row.near, column.near), at(row.near, column.far), column.share);
      const lower = mix(at(row.far, column.near), at(row.far, column.far), column.share);
      target[y * width + x] = mix(upper, lower, row.share);
    }
  }
  return target;
}

function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}

type Tap = { readonly near: number; readonly far: number; readonly share: number };

/** For each of `length` target pixels, the two source pixels between `first` and `last` it lies between. */
function taps(first: number, last: number, length: number): Tap[] {
  return Array.from({ length }, (_, i) => {
    const position = first + ((i + 0.5) * (last - first + 1)) / length - 0.5;
    const clipped = Math.min(Math.max(position, first), last);
    const near = Math.floor(clipped);
    return { near, far: Math.min(near + 1, last), share: clipped - near };
  });
}

/**
 * The strongest ink under each target pixel, grown by one pixel to all four sides: keeps strokes that
 * an area average would thin out. The growth fills the margin of one pixel that is left all round.
 */
export function thicken(greys: Greys, ink: InkTable, box: Box, width: number, height: number): Greys {
  const scaleX = (width - 2) / (box.x1 - box.x0 + 1);
  const scaleY = (height - 2) / (box.y1 - box.y0 + 1);
  const values = new Uint8Array(width * height);
  const grow = (i: number, amount: number) => {
    if (amount > values[i]!) values[i] = amount;
  };
  for (let y = box.y0; y <= box.y1; y++) {
    const row = (1 + Math.floor((y - box.y0) * scaleY)) * width + 1;
    for (let x = box.x0; x <= box.x1; x++) {
      const amount = ink.of[greys.values[y * greys.width + x]!]!;
      if (amount === 0) continue;
      const i = row + Math.floor((x - box.x0) * scaleX);
      for (const near of [i, i - 1, i + 1, i - width, i + width]) grow(near, amount);
    }
  }
  return { values, width, height };
}
