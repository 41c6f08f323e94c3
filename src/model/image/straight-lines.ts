/**
 * Straight thin lines of any length in a mask of ink, level to within a few degrees: by the Hough transform over the middles
 * of thin vertical runs. Upright lines are found in the transposed mask.
 * Source: R. Duda, P. Hart, Use of the Hough transformation, 1972.
 */

/** Pixels of ink (1) and paper (0), row-major. */
export type Mask = { readonly pixels: Uint8Array; readonly width: number; readonly height: number };

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
const thickest = 0.05; // of the shorter side; thicker is a stroke
const shortest = 0.28; // of the shorter side
const slender = 8; // length to thickness
const slenderSmall = 11; // likewise, in pictures of less than 64 pixels, where strokes are thin too
const mostLines = 80; // in one direction
const mostBarren = 6; // peaks in a row that are no line: a pattern or print
const pureShare = 0.3; // of a line's length where nothing crosses it

export function findLines(mask: Mask): Line[] {
  return [...levelLines(mask, false), ...levelLines(transposed(mask), true)];
}

export function transposed({ pixels, width, height }: Mask): Mask {
  const target = new Uint8Array(pixels.length);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) target[x * height + y] = pixels[i]!;
  return { pixels: target, width: height, height: width };
}

/** Middles of thin vertical runs. */
type Runs = {
  readonly x: Int32Array;
  readonly y: Float32Array;
  readonly thick: Int32Array;
  readonly used: Uint8Array;
  readonly x0: number; // the least x
  readonly y0: number;
};

function levelLines(mask: Mask, isUpright: boolean): Line[] {
  const shorter = Math.min(mask.width, mask.height);
  const least = Math.max(8, shortest * shorter);
  const runs = thinRuns(mask, Math.round(thickest * shorter) + 2);
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

function thinRuns({ pixels, width, height }: Mask, most: number): Runs {
  const [x, y, thick]: [number[], number[], number[]] = [[], [], []];
  const starts = new Int32Array(width).fill(-1);
  for (let row = 0; row <= height; row++) {
    for (let column = 0; column < width; column++) {
      const isInk = row < height && pixels[row * width + column] === 1;
      if (isInk && starts[column] === -1) starts[column] = row;
      if (isInk || starts[column] === -1) continue;
      const length = row - starts[column]!;
      if (length <= most) {
        x.push(column);
        y.push(starts[column]! + (length - 1) / 2);
        thick.push(length);
      }
      starts[column] = -1;
    }
  }
  return {
    x: Int32Array.from(x),
    y: Float32Array.from(y),
    thick: Int32Array.from(thick),
    used: new Uint8Array(x.length),
    x0: x.reduce((least, value) => Math.min(least, value), width),
    y0: Math.floor(y.reduce((least, value) => Math.min(least, value), height)),
  };
}

type Peak = { readonly slope: number; readonly offset: number };

/** Counted from the ink's corner, so that it makes no difference where the ink lies. */
function strongestPeak(
  { x, y, used, x0, y0 }: Runs,
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
function segments(mask: Mask, runs: Runs, peak: Peak, least: number): Omit<Line, 'isUpright'>[] {
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
function fitted(runs: Runs, peak: Peak): Peak {
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
