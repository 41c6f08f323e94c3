/**
 * Where a shape may be cut into characters: near-vertical paths that cross little ink, or run down the middle of two strokes
 * that have grown together.
 */
import { depthsOf, strokeWidthOf } from './ink-depth.ts';
import type { Mask } from './mask.ts';

/** The column of the cut in each row; what is left of it belongs to the left piece. */
export type CutPath = {
  readonly columns: Int32Array;
  readonly cost: number; // pixels of ink that it crosses; those in the middle of two strokes count for less
};

const reach = 0.22; // of the height, from a path's middle column to each side
const step = 0.05; // of the height, between middle columns that are tried
const apart = 0.08; // of the height, between two cuts
const edge = 0.14; // of the height, left whole at either end
const drift = 0.03; // pixels of ink that one pixel away from the middle column costs, in each row
const one = 0.44; // of the strokes' mean width, which those grown together raise: so deep lies the middle of one stroke …
const two = 0.62; // … and so deep that of two that have grown together
const between = 0.05; // pixels of ink that a pixel in the middle of two strokes costs
const perHeight = 4; // cuts kept for a width of one height, and two
const leastInk = 0.1; // of the ink under one and a half heights: what a cut leaves on either side at least

/** Returns the cuts from left to right. */
export function cutPaths(mask: Mask): CutPath[] {
  const { width, height } = mask;
  const most = Math.min(24, Math.ceil((perHeight * width) / height) + 2);
  const tried: CutPath[] = [];
  const last = width - edge * height;
  const prices = pricesOf(mask);
  for (let x = edge * height; x <= last; x += Math.max(1, step * height))
    tried.push(pathNear(mask, prices, Math.round(x)));
  const before = inkBefore(mask);
  const enough = tried.filter((path) => leavesEnough(mask, before, path));
  const kept: CutPath[] = [];
  for (const path of enough.toSorted((a, b) => a.cost - b.cost)) {
    if (kept.length < most && kept.every((other) => distance(path, other) >= apart * height)) kept.push(path);
  }
  return kept.toSorted((a, b) => meanOf(a) - meanOf(b));
}

/** [height × (width + 1)]: the ink of each row before each column. */
function inkBefore({ pixels, width, height }: Mask): Int32Array {
  const before = new Int32Array(height * (width + 1));
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0, j = y * (width + 1); x < width; x++, i++, j++) before[j + 1] = before[j]! + pixels[i]!;
  return before;
}

function leavesEnough({ width, height }: Mask, before: Int32Array, { columns }: CutPath): boolean {
  let [left, total] = [0, 0];
  for (let y = 0; y < height; y++) {
    const row = y * (width + 1);
    left += before[row + Math.min(width, columns[y]! + 1)]!;
    total += before[row + width]!;
  }
  return Math.min(left, total - left) >= leastInk * total * Math.min(1, (1.5 * height) / width);
}

const meanOf = ({ columns }: CutPath) => columns.reduce((sum, x) => sum + x, 0) / columns.length;
const distance = (a: CutPath, b: CutPath) => Math.abs(meanOf(a) - meanOf(b));

/** [height × width]: what a path pays for each pixel. */
function pricesOf(mask: Mask): Float32Array {
  const depths = depthsOf(mask);
  const stroke = strokeWidthOf(mask);
  return Float32Array.from(mask.pixels, (ink, i) => {
    if (!ink) return 0;
    const share = (depths[i]! / stroke - one) / (two - one);
    return 1 - (1 - between) * Math.min(1, Math.max(0, share));
  });
}

/** The cheapest path from top to bottom within a band, by dynamic programming. */
function pathNear({ width, height }: Mask, prices: Float32Array, middle: number): CutPath {
  const [from, to] = [
    Math.max(0, middle - Math.round(reach * height)),
    Math.min(width - 1, middle + Math.round(reach * height)),
  ];
  const count = to - from + 1;
  const back = new Int8Array(count * height);
  let costs = new Float32Array(count);
  for (let y = 0; y < height; y++) {
    const next = new Float32Array(count);
    for (let n = 0; n < count; n++) {
      let best = 0;
      if (n > 0 && costs[n - 1]! < costs[n]!) best = -1;
      if (n + 1 < count && costs[n + 1]! < costs[n + best]!) best = 1;
      back[y * count + n] = best;
      next[n] =
        costs[n + best]! +
        prices[y * width + from + n]! +
        (drift * Math.abs(from + n - middle)) / Math.max(1, reach * height);
    }
    costs = next;
  }
  let n = costs.indexOf(Math.min(...costs));
  const cost = costs[n]!;
  const columns = new Int32Array(height);
  for (let y = height - 1; y >= 0; y--) {
    columns[y] = from + n;
    n += back[y * count + n]!;
  }
  return { columns, cost };
}
