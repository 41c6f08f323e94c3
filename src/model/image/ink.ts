/**
 * What in a grey image is ink and what is background. Nothing is known beforehand: ink may be darker
 * or lighter, the background grey or noisy, and the digit may be cut out so tightly that it touches the border.
 */
import { totalOf } from '../../lib/counts.ts';
import type { Border } from './border.ts';
import type { Box } from './box.ts';
import type { Greys } from './greys.ts';
import { levelsAbove } from './mask.ts';
import { boxOf, type Runs, wholeRows } from './runs.ts';
import type { Survey } from './survey.ts';

/** How much ink each grey value is. */
export type Ink = {
  readonly of: Uint8Array; // [256], grey value → levels above the background, 0 where it is background
  readonly contrast: number; // levels of the strongest ink
  readonly threshold: number; // more ink than this belongs to the digit, less may be noise or a soft edge
  readonly runs: Runs; // no ink lies outside them
};

const leastContrast = 12; // levels; what JPEG leaves on a blank page stays below 4
const sureBorder = 0.8; // a border of one tone to this share is the background whatever is inside
const speckShare = 0.0002; // of all pixels: this few strongest ones are no measure of contrast

/** Tells ink from background, or returns null where nothing stands out. */
export function findInk(survey: Survey): Ink | null {
  const { greys, border, runs } = survey;
  const counts = countGreys(survey);
  const apparent = strongerSide(counts, border);
  const side = isBackground(apparent, counts, border) ? otherWay(apparent, counts) : apparent;
  const { contrast } = side;
  if (contrast < Math.max(leastContrast, Math.min(6 * border.noise, 64))) return null;
  const of = inkTable(side, Math.min(3 * border.noise, contrast / 4));
  const threshold = Math.max(0.3 * contrast, Math.min(4 * border.noise, 0.6 * contrast));
  return { of, contrast, threshold, runs: side === apparent ? runs : wholeRows(greys) };
}

/** The box around all ink above the threshold. There is some: the contrast exceeds the threshold. */
export function inkBox(greys: Greys, { of, threshold, runs }: Ink): Box {
  return boxOf(greys, runs, levelsAbove(threshold, of));
}

/** Ink on one side of the background's level. */
type Side = { readonly level: number; readonly sign: 1 | -1; readonly contrast: number };

/** Ink is the longer tail, by the third moment about the background: few and far outweigh many and near. */
function strongerSide(counts: Uint32Array, { level }: Border): Side {
  let moment = 0;
  for (let value = 0; value < 256; value++) {
    const away = value - level;
    moment += counts[value]! * away * away * away;
  }
  return sideOf(counts, level, moment > 0 ? 1 : -1);
}

function sideOf(counts: Uint32Array, level: number, sign: 1 | -1): Side {
  const specks = speckShare * totalOf(counts);
  let value = sign > 0 ? 255 : 0;
  for (let seen = counts[value]!; seen <= specks; seen += counts[value]!) value -= sign;
  return { level, sign, contrast: Math.max(0, (value - level) * sign) };
}

/** A digit cut out tightly may cover most of the border; then what looks like ink covers most of the image. */
function isBackground({ level, sign, contrast }: Side, counts: Uint32Array, border: Border): boolean {
  const isFar = (value: number) => (value - level) * sign > contrast / 2;
  let far = 0;
  for (let value = 0; value < 256; value++) if (isFar(value)) far += counts[value]!;
  if (far <= totalOf(counts) / 2) return false;
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
  const table = new Uint8Array(256);
  for (let value = 0; value < 256; value++) {
    const levels = (value - level) * sign;
    if (levels > floor) table[value] = Math.round(levels);
  }
  return table;
}

/**
 * How many pixels have each grey; outside the runs all have the border's level. Four tables in turn: neighbours are mostly
 * alike, and a count must be stored before it can go up again.
 */
function countGreys({ greys: { values, width }, border, runs: { row, from, to } }: Survey): Uint32Array {
  const tables = new Int32Array(4 * 256);
  let seen = 0;
  for (let n = 0; n < row.length; n++) {
    const end = row[n]! * width + to[n]!;
    for (let i = row[n]! * width + from[n]!; i < end; i++) tables[256 * (i & 3) + values[i]!]!++;
    seen += to[n]! - from[n]!;
  }
  const counts = new Uint32Array(256);
  for (let i = 0; i < tables.length; i++) counts[i & 255]! += tables[i]!;
  if (seen < values.length) counts[border.level]! += values.length - seen;
  return counts;
}
