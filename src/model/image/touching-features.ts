/** What tells two digits that touch from one: shares and counts that do not depend on the size. */
import type { Box } from './box.ts';
import type { Mask } from './mask.ts';
import { type Runs, runsOf } from './runs.ts';
import { findPaper } from './shapes.ts';

export const featureCount = 12;

/** [12], of a mask that is cut out to its ink. */
export function touchingFeatures(mask: Mask): number[] {
  const { width, height } = mask;
  const upright = deskewed(mask);
  const columns = Array.from({ length: upright.width }, (_, x) => lineOf(upright, x, upright.width, height));
  const rows = Array.from({ length: height }, (_, y) => lineOf(upright, y * upright.width, 1, upright.width));
  const inked = rows.filter(({ ink }) => ink > 0);
  const total = columns.reduce((sum, { ink }) => sum + ink, 0);
  const cut = bestCut(columns);
  const [left, right] = [heightIn(upright, 0, cut), heightIn(upright, cut + 1, upright.width)];
  const leftInk = columns.slice(0, cut).reduce((sum, { ink }) => sum + ink, 0);
  const share = (least: number) =>
    inked.filter(({ runs }) => runs >= least).length / Math.max(1, inked.length);
  return [
    Math.log(width / height),
    Math.log(upright.width / height),
    columns[cut]!.ink / height,
    columns[cut]!.runs,
    Math.min(left, right) / height,
    Math.min(leftInk, total - leftInk) / total,
    inked.reduce((sum, { runs }) => sum + runs, 0) / Math.max(1, inked.length),
    share(3),
    share(4),
    columns.reduce((sum, { runs }) => sum + runs, 0) / columns.length,
    total / (upright.width * height),
    holesOf(mask),
  ];
}

type LineOfPixels = { readonly ink: number; readonly runs: number };

function lineOf({ pixels }: Mask, start: number, step: number, count: number): LineOfPixels {
  let [ink, runs, was] = [0, 0, 0];
  for (let n = 0, i = start; n < count; n++, i += step) {
    const is = pixels[i]!;
    ink += is;
    if (is && !was) runs++;
    was = is;
  }
  return { ink, runs };
}

/** The column with the least ink in the middle part. */
function bestCut(columns: readonly LineOfPixels[]): number {
  const [from, to] = [Math.floor(0.25 * columns.length), Math.ceil(0.75 * columns.length)];
  let best = Math.floor(columns.length / 2);
  for (let x = from; x < to; x++) if (columns[x]!.ink < columns[best]!.ink) best = x;
  return best;
}

/** Pixels from the first row to the last that has ink in these columns. */
function heightIn({ pixels, width, height }: Mask, from: number, to: number): number {
  const isBlank = (y: number) => !pixels.subarray(y * width + from, y * width + to).includes(1);
  let [first, last] = [0, height - 1];
  while (first <= last && isBlank(first)) first++;
  while (last > first && isBlank(last)) last--;
  return last - first + 1;
}

/** Sheared so that x and y are not correlated, as far as handwriting slants, and cut out again. */
function deskewed(mask: Mask): Mask {
  const { height } = mask;
  const { row, from, to } = runsOf(mask, 1);
  if (row.length === 0) return mask;
  const slant = slantOf({ row, from, to });
  const shifts = row.map((y) => Math.round(-slant * (y - height / 2)));
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let n = 0; n < row.length; n++) {
    first = Math.min(first, from[n]! + shifts[n]!);
    last = Math.max(last, to[n]! - 1 + shifts[n]!);
  }
  const width = last - first + 1;
  const pixels = new Uint8Array(width * height);
  for (let n = 0; n < row.length; n++) {
    const start = row[n]! * width + shifts[n]! - first;
    pixels.fill(1, start + from[n]!, start + to[n]!);
  }
  return { pixels, width, height };
}

/** Pixels to the right for one down, by the covariance of x and y over all ink. */
function slantOf({ row, from, to }: Runs): number {
  let [n, sx, sy, sxy, syy] = [0, 0, 0, 0, 0];
  for (let run = 0; run < row.length; run++) {
    const [y, count] = [row[run]!, to[run]! - from[run]!];
    const x = ((from[run]! + to[run]! - 1) * count) / 2; // the sum over the run
    n += count;
    sx += x;
    sy += y * count;
    sxy += x * y;
    syy += y * y * count;
  }
  const spread = syy - (sy * sy) / n;
  return spread === 0 ? 0 : Math.min(0.7, Math.max(-0.7, (sxy - (sx * sy) / n) / spread));
}

/** Areas of paper enclosed by ink, of at least a three-hundredth of the box. */
function holesOf(mask: Mask): number {
  const { width, height } = mask;
  const isEnclosed = ({ x0, x1, y0, y1 }: Box) => x0 > 0 && y0 > 0 && x1 < width - 1 && y1 < height - 1;
  const least = (width * height) / 300;
  return findPaper(mask).filter(({ box, pixels }) => pixels >= least && isEnclosed(box)).length;
}
