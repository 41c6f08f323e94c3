/**
 * What in a grey image is ink and what is background. Nothing is known beforehand: ink may be darker
 * or lighter, the background grey or noisy, and the digit may be cut out so tightly that it touches the border.
 */
import type { Border } from './border.ts';
import type { Greys } from './greys.ts';

/** How much ink each grey value is. */
export type Ink = {
  readonly of: Uint8Array; // [256], grey value → levels above the background, 0 where it is background
  readonly contrast: number; // levels of the strongest ink
  readonly threshold: number; // more ink than this belongs to the digit, less may be noise or a soft edge
};

/** Inclusive pixel bounds. */
export type Box = { readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number };

const leastContrast = 12; // levels; what JPEG leaves on a blank page stays below 4
const sureBorder = 0.8; // a border of one tone to this share is the background whatever is inside
const speckShare = 0.0002; // of all pixels: this few strongest ones are no measure of contrast

/** Tells ink from background, or returns null where nothing stands out. */
export function findInk(greys: Greys, border: Border): Ink | null {
  const counts = histogram(greys.values);
  const apparent = strongerSide(counts, border);
  const side = isBackground(apparent, counts, border) ? otherWay(apparent, counts) : apparent;
  const { contrast } = side;
  if (contrast < Math.max(leastContrast, Math.min(6 * border.noise, 64))) return null;
  return {
    of: inkTable(side, Math.min(3 * border.noise, contrast / 4)),
    contrast,
    threshold: Math.max(0.3 * contrast, Math.min(4 * border.noise, 0.6 * contrast)),
  };
}

/** The box around all ink above the threshold. There is some: the contrast exceeds the threshold. */
export function inkBox({ values, width, height }: Greys, { of, threshold }: Ink): Box {
  let x0 = width;
  let x1 = -1;
  let y0 = height;
  let y1 = -1;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let left = 0;
    while (left < width && of[values[row + left]!]! <= threshold) left++;
    if (left === width) continue;
    let right = width - 1;
    while (of[values[row + right]!]! <= threshold) right--;
    if (left < x0) x0 = left;
    if (right > x1) x1 = right;
    if (y < y0) y0 = y;
    y1 = y;
  }
  return { x0, y0, x1, y1 };
}

/** Ink on one side of the background's level. */
type Side = { readonly level: number; readonly sign: 1 | -1; readonly contrast: number };

/** Ink is the longer tail, by the third moment about the background: few and far outweigh many and near. */
function strongerSide(counts: Uint32Array, { level }: Border): Side {
  let moment = 0;
  for (let value = 0; value < 256; value++) moment += counts[value]! * (value - level) ** 3;
  return sideOf(counts, level, moment > 0 ? 1 : -1);
}

function sideOf(counts: Uint32Array, level: number, sign: 1 | -1): Side {
  const specks = speckShare * total(counts);
  let value = sign > 0 ? 255 : 0;
  for (let seen = counts[value]!; seen <= specks; seen += counts[value]!) value -= sign;
  return { level, sign, contrast: Math.max(0, (value - level) * sign) };
}

/** A digit cut out tightly may cover most of the border; then what looks like ink covers most of the image. */
function isBackground({ level, sign, contrast }: Side, counts: Uint32Array, border: Border): boolean {
  const isFar = (value: number) => (value - level) * sign > contrast / 2;
  let far = 0;
  for (let value = 0; value < 256; value++) if (isFar(value)) far += counts[value]!;
  if (far <= total(counts) / 2) return false;
  const near = border.counts.reduce((sum, count, value) => sum + (isFar(value) ? 0 : count), 0);
  return near < sureBorder * border.size;
}

/** The same two tones with their parts exchanged: the background is the commonest value of the far side. */
function otherWay({ level, sign, contrast }: Side, counts: Uint32Array): Side {
  let value = Math.round(level + (sign * contrast) / 2);
  let commonest = value;
  for (; value >= 0 && value <= 255; value += sign)
    if (counts[value]! > counts[commonest]!) commonest = value;
  return sideOf(counts, commonest, sign > 0 ? -1 : 1);
}

function inkTable({ level, sign }: Side, floor: number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, value) => {
    const levels = (value - level) * sign;
    return levels > floor ? Math.round(levels) : 0;
  });
}

/** Two tables in turn: neighbours are mostly alike, and a count must be stored before it can go up again. */
function histogram(values: Uint8Array): Uint32Array {
  const even = new Uint32Array(256);
  const odd = new Uint32Array(256);
  for (let i = 0; i + 1 < values.length; i += 2) {
    even[values[i]!]!++;
    odd[values[i + 1]!]!++;
  }
  if (values.length % 2 === 1) even[values.at(-1)!]!++;
  return even.map((count, value) => count + odd[value]!);
}

function total(counts: Uint32Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
