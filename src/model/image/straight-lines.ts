/**
 * Straight thin lines of any length in a mask of ink, level to within a few degrees: by the Hough transform over the middles
 * of thin vertical runs. Upright lines are found in the transposed mask.
 * Source: R. Duda, P. Hart, Use of the Hough transformation, 1972.
 */

import { type Mask, transposed } from './mask.ts';
import { runsOf } from './runs.ts';

/** Along x from `from` to `to`, at y = offset + slope · x. In an upright line x and y are exchanged. */
export type Line = {
  readonly isUpright: boolean;
  readonly slope: number;
  readonly offset: number;
  readonly from: number;
  readonly to: number;
  readonly thickness: number; // pixels
};

const steepest = 0.1;
export const thickest = 0.05; // of the shorter side; thicker is a stroke
const shortest = 0.28; // of the shorter side
const slender = 8; // length to thickness
const slenderSmall = 11; // likewise, in pictures of less than 64 pixels, where strokes are thin too
const mostLines = 80; // in one direction
const mostBarren = 6; // peaks in a row that are no line: a pattern or print
const pureShare = 0.3; // of a line's length where nothing crosses it

export function findLines(mask: Mask): Line[] {
  const columns = transposed(mask);
  return [...levelLines(mask, columns, false), ...levelLines(columns, mask, true)];
}

/** Middles of thin vertical runs. */
type Middles = {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly thick: readonly number[];
  readonly used: Uint8Array;
  readonly x0: number; // the least x
  readonly y0: number;
};

/** `columns`: the mask transposed. */
function levelLines(mask: Mask, columns: Mask, isUpright: boolean): Line[] {
  const shorter = Math.min(mask.width, mask.height);
  const least = Math.max(8, shortest * shorter);
  const runs = thinRuns(columns, Math.round(thickest * shorter) + 2);
  const lines: Line[] = [];
  let slopes = slopesFor(mask.width);
  for (let n = 0, barren = 0; n < mostLines && barren < mostBarren; n++) {
    const peak = strongestPeak(runs, slopes, mask, 0.6 * least);
    if (!peak) break;
    const found = segments(mask, runs, peak, least);
    lines.push(...found.map((segment) => ({ ...segment, isUpright })));
    barren = found.length === 0 ? barren + 1 : 0;
    const first = found[0];
    // One sheet has one direction: once a long line is found, the others are looked for near it.
    if (first && slopes.length > 7 && first.to - first.from > 0.6 * mask.width)
      slopes = near(slopes, first.slope);
  }
  return lines;
}

function slopesFor(width: number): number[] {
  const count = Math.min(30, Math.ceil((steepest * width) / 2));
  return Array.from({ length: 2 * count + 1 }, (_, i) => ((i - count) / count) * steepest);
}

function near(slopes: readonly number[], slope: number): number[] {
  return slopes.toSorted((a, b) => Math.abs(a - slope) - Math.abs(b - slope)).slice(0, 7);
}

/** `columns`: the mask transposed. */
function thinRuns(columns: Mask, most: number): Middles {
  const { row, from, to } = runsOf(columns, 1);
  const [x, y, thick]: [number[], number[], number[]] = [[], [], []];
  let top = columns.width;
  for (let n = 0; n < row.length; n++) {
    const length = to[n]! - from[n]!;
    if (length > most) continue;
    const middle = (from[n]! + to[n]! - 1) / 2;
    x.push(row[n]!);
    y.push(middle);
    thick.push(length);
    if (middle < top) top = middle;
  }
  return { x, y, thick, used: new Uint8Array(x.length), x0: x[0] ?? 0, y0: Math.floor(top) };
}

type Peak = { readonly slope: number; readonly offset: number };

/** Counted from the ink's corner, so that it makes no difference where the ink lies. */
function strongestPeak(
  { x, y, used, x0, y0 }: Middles,
  slopes: readonly number[],
  mask: Mask,
  least: number,
): Peak | null {
  const margin = Math.ceil(steepest * mask.width) + 2;
  const counts = new Int32Array(mask.height + 2 * margin);
  let best: Peak | null = null;
  let most = least;
  for (const slope of slopes) {
    counts.fill(0);
    for (let i = 0; i < x.length; i++)
      if (!used[i]) counts[Math.round(y[i]! - y0 - slope * (x[i]! - x0)) + margin]!++;
    for (let bin = 0; bin + 1 < counts.length; bin++) {
      const count = counts[bin]! + counts[bin + 1]! + 0.001 * Math.max(counts[bin]!, counts[bin + 1]!);
      if (count <= most) continue;
      most = count;
      const offset = bin - margin + counts[bin + 1]! / (counts[bin]! + counts[bin + 1]!);
      best = { slope, offset: offset + y0 - slope * x0 };
    }
  }
  return best;
}

/** The pieces of one line that are long enough; its runs are used up. */
function segments(mask: Mask, runs: Middles, peak: Peak, least: number): Omit<Line, 'isUpright'>[] {
  const { slope, offset } = fitted(runs, peak);
  const pure = new Uint8Array(mask.width); // thickness where the line alone is seen
  for (let i = 0; i < runs.x.length; i++) {
    const away = Math.abs(runs.y[i]! - offset - slope * runs.x[i]!);
    if (away > 1.6) continue;
    if (!runs.used[i]) pure[runs.x[i]!] = runs.thick[i]!;
    runs.used[i] = 1;
  }
  const slim = Math.min(mask.width, mask.height) < 64 ? slenderSmall : slender;
  const gap = Math.max(3, Math.round(0.04 * Math.min(mask.width, mask.height)));
  const found: Omit<Line, 'isUpright'>[] = [];
  for (const { from, to, count } of stretches(mask, pure, slope, offset, gap)) {
    if (to - from + 1 < least || count < pureShare * (to - from + 1)) continue;
    const thickness = pure
      .slice(from, to + 1)
      .filter((thick) => thick > 0)
      .toSorted()[count >> 1]!;
    if (to - from + 1 >= slim * thickness) found.push({ slope, offset, from, to, thickness });
  }
  return found.toSorted((a, b) => b.to - b.from - (a.to - a.from));
}

/** Least squares over the runs near the peak, twice. */
export function fitted(runs: Pick<Middles, 'x' | 'y' | 'used'>, peak: Peak): Peak {
  let { slope, offset } = peak;
  for (const reach of [2.1, 1.6]) {
    let [n, sx, sy, sxx, sxy] = [0, 0, 0, 0, 0];
    for (let i = 0; i < runs.x.length; i++) {
      const [x, y] = [runs.x[i]!, runs.y[i]!];
      if (runs.used[i] || Math.abs(y - offset - slope * x) > reach) continue;
      n++;
      sx += x;
      sy += y;
      sxx += x * x;
      sxy += x * y;
    }
    const spread = n * sxx - sx * sx;
    if (n < 3 || spread === 0) break;
    slope = (n * sxy - sx * sy) / spread;
    offset = (sy - slope * sx) / n;
  }
  return { slope, offset };
}

type Stretch = { from: number; to: number; count: number };

/** Where the line goes on: columns of its own ink, with other ink or short gaps between them. */
function stretches(mask: Mask, pure: Uint8Array, slope: number, offset: number, gap: number): Stretch[] {
  const found: Stretch[] = [];
  let last: Stretch | null = null;
  let missing = 0;
  for (let x = 0; x < mask.width; x++) {
    if (pure[x]) {
      if (!last || missing > gap) found.push((last = { from: x, to: x, count: 0 }));
      last.to = x;
      last.count++;
      missing = 0;
    } else if (!hasInk(mask, x, offset + slope * x)) missing++;
  }
  return found;
}

function hasInk({ pixels, width, height }: Mask, x: number, at: number): boolean {
  for (let y = Math.max(0, Math.floor(at - 0.5)); y <= Math.min(height - 1, Math.ceil(at + 0.5)); y++)
    if (pixels[y * width + x]) return true;
  return false;
}
