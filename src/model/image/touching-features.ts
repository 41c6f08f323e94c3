/** What tells two digits that touch from one: shares and counts that do not depend on the size. */
import type { Mask } from './straight-lines.ts';

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

function heightIn({ pixels, width, height }: Mask, from: number, to: number): number {
  let [first, last] = [height, -1];
  for (let y = 0; y < height; y++) {
    for (let x = from; x < to; x++) {
      if (!pixels[y * width + x]) continue;
      first = Math.min(first, y);
      last = y;
    }
  }
  return Math.max(0, last - first + 1);
}

/** Sheared so that x and y are not correlated, as far as handwriting slants, and cut out again. */
function deskewed({ pixels, width, height }: Mask): Mask {
  let [n, sx, sy, sxy, syy] = [0, 0, 0, 0, 0];
  for (let i = 0; i < pixels.length; i++) {
    if (!pixels[i]) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    n++;
    sx += x;
    sy += y;
    sxy += x * y;
    syy += y * y;
  }
  if (n === 0) return { pixels, width, height };
  const spread = syy - (sy * sy) / n;
  const slant = spread === 0 ? 0 : Math.min(0.7, Math.max(-0.7, (sxy - (sx * sy) / n) / spread));
  const shift = (y: number) => Math.round(-slant * (y - height / 2));
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < pixels.length; i++) {
    if (!pixels[i]) continue;
    const x = (i % width) + shift(Math.floor(i / width));
    first = Math.min(first, x);
    last = Math.max(last, x);
  }
  const wide = last - first + 1;
  const target = new Uint8Array(wide * height);
  for (let i = 0; i < pixels.length; i++) {
    const y = Math.floor(i / width);
    if (pixels[i]) target[y * wide + (i % width) + shift(y) - first] = 1;
  }
  return { pixels: target, width: wide, height };
}

/** Areas of paper enclosed by ink, of at least a three-hundredth of the box. */
function holesOf({ pixels, width, height }: Mask): number {
  const seen = pixels.slice();
  const stack: number[] = [];
  const fill = (start: number): { size: number; isOpen: boolean } => {
    let [size, isOpen] = [0, false];
    seen[start] = 1;
    stack.push(start);
    for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
      size++;
      const [x, y] = [i % width, Math.floor(i / width)];
      if (x === 0 || y === 0 || x === width - 1 || y === height - 1) isOpen = true;
      for (const next of [x > 0 ? i - 1 : i, x < width - 1 ? i + 1 : i, i - width, i + width]) {
        if (next < 0 || next >= seen.length || seen[next]) continue;
        seen[next] = 1;
        stack.push(next);
      }
    }
    return { size, isOpen };
  };
  let count = 0;
  for (let i = 0; i < seen.length; i++) {
    if (seen[i]) continue;
    const { size, isOpen } = fill(i);
    if (!isOpen && size >= (width * height) / 300) count++;
  }
  return count;
}
