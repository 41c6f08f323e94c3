/**
 * Whether a drawing on flat paper shows one plain character, told from a small copy: most drawings do, and need no closer look.
 * The copy keeps of each block the pixel that is farthest from the paper, so that no thin line and no speck is lost.
 */
import { type Box, heightOf, longestOf, widthOf } from './box.ts';
import { type CleanInk, cleanInk } from './clean-ink.ts';
import { type Character, findCharacters } from './find-characters.ts';
import type { Greys } from './greys.ts';
import { drawnInk } from './ink-map.ts';
import { everyLevel, levelsAbove } from './mask.ts';
import { boxOf } from './runs.ts';
import { type Survey, survey } from './survey.ts';

const flat = 6; // levels
const glanceSide = 70; // pixels of the copy's longer side
const largestBlock = 4; // pixels a side; more would close the gap between two characters
const leastHeight = 16; // of the character in the copy

/** `isSeveral` tells a shape of touching characters, in the ink that it is given, from one. */
export function isPlainAtAGlance(
  picture: Survey,
  isSeveral: (clean: CleanInk, shape: Character) => boolean,
): boolean {
  const { greys, border, runs } = picture;
  if (border.noise !== 0) return false;
  const distances = everyLevel.map((grey) => Math.abs(grey - border.level));
  const box = boxOf(greys, runs, levelsAbove(flat, distances));
  const block = Math.ceil(longestOf(box) / glanceSide);
  const isInside = box.x0 > 0 && box.y0 > 0 && box.x1 < greys.width - 1 && box.y1 < greys.height - 1;
  if (!isInside || block < 2 || block > largestBlock) return false;
  const map = drawnInk(survey(farthest(picture, box, block)));
  if (!map) return false;
  const clean = cleanInk(map);
  const { characters, dropped } = findCharacters(clean);
  const [only, second] = characters;
  if (!only || second || dropped.length > 0 || clean.removed.lines.length > 0) return false;
  if (only.labels.length > 1) return false; // the second shape may be a character of its own
  return heightOf(only.box) >= leastHeight && !isSeveral(clean, only);
}

/**
 * Makes the copy: it keeps the pixel farthest from the paper of each block of `block` × `block` pixels, counted from the
 * box's corner, and has one pixel of paper around.
 */
function farthest(
  { greys: { values, width }, border: { level }, runs }: Survey,
  box: Box,
  block: number,
): Greys {
  const [columns, rows] = [Math.ceil(widthOf(box) / block), Math.ceil(heightOf(box) / block)];
  const across = columns + 2;
  const copy = new Uint8Array(across * (rows + 2)).fill(level);
  const limit = Math.max(level, 255 - level); // nothing is farther
  for (let n = 0; n < runs.row.length; n++) {
    const y = runs.row[n]!;
    if (y < box.y0 || y > box.y1) continue;
    const start = y * width + box.x0;
    const end = y * width + Math.min(runs.to[n]!, box.x1 + 1);
    const from = Math.max(runs.from[n]! - box.x0, 0);
    let place = (1 + Math.floor((y - box.y0) / block)) * across + 1 + Math.floor(from / block);
    let next = start + block * Math.floor(from / block + 1); // where the next block begins
    for (let i = start + from; i < end; i = next, next += block, place++) {
      const kept = copy[place]!;
      if (Math.abs(kept - level) < limit)
        copy[place] = fartherOf(kept, values, i, Math.min(next, end), level);
    }
  }
  return { values: copy, width: across, height: rows + 2 };
}

/** What is farthest from a level: `kept` or one of the values from `start` up to, and without, `end`. */
function fartherOf(kept: number, values: Uint8Array, start: number, end: number, level: number): number {
  let best = kept;
  let most = Math.abs(kept - level);
  for (let i = start; i < end; i++) {
    const distance = Math.abs(values[i]! - level);
    if (distance <= most) continue;
    best = values[i]!;
    most = distance;
  }
  return best;
}
