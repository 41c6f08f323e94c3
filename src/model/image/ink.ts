/**
 * What in a grey image is ink and what is background. Nothing is known beforehand: ink may be
 * darker or lighter, the background may be grey, noisy or lit from one side.
 */

/** A grey image, row-major, 0 black to 255 white. */
export type Greys = { readonly values: Uint8Array; readonly width: number; readonly height: number };

/** How much ink each grey value is, once the background is known. */
export type Ink = {
  /** Grey value → ink, 0 (background) to 255; length 256. */
  readonly of: Uint8Array;
  /** The strongest ink, in levels of grey above the background. */
  readonly contrast: number;
  /** Ink stronger than this belongs to the digit, weaker may be noise or a soft edge. */
  readonly threshold: number;
};

/** Inclusive pixel bounds. */
export type Box = { readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number };

const MIN_CONTRAST = 12; // levels; what JPEG leaves on a blank page stays below 4
const SURE_BORDER = 0.8; // a border of one tone to this share is the background whatever is inside
const SPECK = 0.0002; // pixels brighter than all others, as a share of the image: no measure of contrast
const MAX_SLOPE = 64; // levels from edge to edge; more than that is a motif, not lighting

/** Tells ink from background, or returns null where nothing stands out. */
export function findInk(greys: Greys): Ink | null {
  const border = borderTone(greys);
  const counts = histogram(greys.values);
  const found = strongerSide(counts, border.level, border.noise);
  const side = borderIsInk(greys, counts, border.level, found)
    ? otherWay(counts, border.level, found)
    : found;
  if (side.contrast < Math.max(MIN_CONTRAST, Math.min(6 * border.noise, 64))) return null;
  const floor = Math.min(3 * border.noise, 0.25 * side.contrast);
  return {
    of: inkTable(side, floor),
    contrast: side.contrast,
    threshold: Math.max(
      Number(process.env.TT ?? 0.3) * side.contrast,
      Math.min(4 * border.noise, 0.6 * side.contrast),
    ),
  };
}

/** The box around all ink above the threshold. `ink.contrast` exceeds it, so there is some. */
export function inkBox({ values, width, height }: Greys, ink: Ink): Box {
  let x0 = width;
  let x1 = -1;
  let y0 = height;
  let y1 = -1;
  const isInk = ink.of.map((amount) => (amount > ink.threshold ? 1 : 0));
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let left = 0;
    while (left < width && isInk[values[row + left]!] === 0) left++;
    if (left === width) continue;
    let right = width - 1;
    while (isInk[values[row + right]!] === 0) right--;
    if (left < x0) x0 = left;
    if (right > x1) x1 = right;
    if (y < y0) y0 = y;
    y1 = y;
  }
  return { x0, y0, x1, y1 };
}

/**
 * Takes out light that falls from one side: the slope between opposite edges, as the median over all
 * rows (columns), so that ink on less than half of an edge changes nothing. An even image is returned
 * as it is, untouched.
 */
export function levelBackground(greys: Greys): Greys {
  const { values, width, height } = greys;
  const slopeX = edgeSlope(height, width, (y) => values[y * width + width - 1]! - values[y * width]!);
  const slopeY = edgeSlope(width, height, (x) => values[(height - 1) * width + x]! - values[x]!);
  if (slopeX === 0 && slopeY === 0) return greys;
  const levelled = new Uint8ClampedArray(values.length); // rounds and clips
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let lighting = slopeY * (y - (height - 1) / 2) - (slopeX * (width - 1)) / 2;
    for (let x = 0; x < width; x++, lighting += slopeX) levelled[row + x] = values[row + x]! - lighting;
  }
  return { values: new Uint8Array(levelled.buffer), width, height };
}

function edgeSlope(lines: number, length: number, difference: (line: number) => number): number {
  if (length < 2) return 0;
  const across = median(Float32Array.from({ length: lines }, (_, line) => difference(line)));
  return Math.abs(across) > MAX_SLOPE ? 0 : across / (length - 1);
}

type Side = { readonly level: number; readonly sign: 1 | -1; readonly contrast: number };

/** Ink is on the side of the background that holds more energy: far and few outweigh near and many. */
function strongerSide(counts: Uint32Array, level: number, noise: number): Side {
  let energy = 0;
  for (let value = 0; value < 256; value++) {
    const distance = value - level;
    if (Math.abs(distance) > 3 * noise) energy += counts[value]! * distance * Math.abs(distance);
  }
  return sideOf(counts, level, energy > 0 ? 1 : -1);
}

function sideOf(counts: Uint32Array, level: number, sign: 1 | -1): Side {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let value = sign > 0 ? 255 : 0;
  for (let seen = counts[value]!; seen <= SPECK * total; seen += counts[value]!) value -= sign;
  return { level, sign, contrast: Math.max(0, (value - level) * sign) };
}

/** A digit cut out tightly may cover most of the border; then what looks like ink covers most of the image. */
function borderIsInk(greys: Greys, counts: Uint32Array, level: number, side: Side): boolean {
  const isFar = (value: number) => (value - level) * side.sign > side.contrast / 2;
  let far = 0;
  for (let value = 0; value < 256; value++) if (isFar(value)) far += counts[value]!;
  if (far <= greys.values.length / 2) return false;
  const border = borderValues(greys);
  return border.filter((value) => !isFar(value)).length < SURE_BORDER * border.length;
}

/** The same two tones with their parts exchanged: the background is what most of the other side is. */
function otherWay(counts: Uint32Array, level: number, side: Side): Side {
  let value = Math.round(level + (side.sign * side.contrast) / 2);
  let best = value;
  for (; value >= 0 && value <= 255; value += side.sign) if (counts[value]! > counts[best]!) best = value;
  return sideOf(counts, best, side.sign > 0 ? -1 : 1);
}

function inkTable({ level, sign }: Side, floor: number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, value) => {
    const amount = (value - level) * sign;
    return amount > floor ? Math.round(amount) : 0;
  });
}

/** Median and spread of the outermost pixels; the quartile of the spread ignores ink on half of them. */
function borderTone(greys: Greys): { level: number; noise: number } {
  const border = borderValues(greys);
  const level = median(border);
  const spread = border.map((value) => Math.abs(value - level)).sort();
  return { level, noise: spread[spread.length >> 2]! / 0.3186 }; // a quarter of a normal lies within 0.3186 σ
}

function borderValues({ values, width, height }: Greys): Float32Array {
  const border = new Float32Array(2 * (width + height));
  let n = 0;
  for (let x = 0; x < width; x++) {
    border[n++] = values[x]!;
    border[n++] = values[(height - 1) * width + x]!;
  }
  for (let y = 0; y < height; y++) {
    border[n++] = values[y * width]!;
    border[n++] = values[y * width + width - 1]!;
  }
  return border;
}

function histogram(values: Uint8Array): Uint32Array {
  const counts = new Uint32Array(256);
  for (const value of values) counts[value]!++;
  return counts;
}

/** Sorts a copy; the mean of the middle two where the length is even, so that inverting the image inverts it. */
function median(values: Float32Array): number {
  const sorted = values.toSorted();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
