/**
 * Whether a drawing on flat paper shows one plain character, told from a small copy: most drawings do, and need no closer look.
 * The copy keeps of each block the pixel that is farthest from the paper, so that no thin line and no speck is lost.
 */
import { borderOf } from './border.ts';
import { type CleanInk, cleanInk } from './clean-ink.ts';
import { type Character, findCharacters } from './find-characters.ts';
import type { Greys } from './greys.ts';
import type { Box } from './ink.ts';
import { inkMapOf } from './ink-map.ts';
import { heightOf, longestOf } from './shapes.ts';

const flat = 6; // levels
const glanceSide = 70; // pixels of the copy's longer side
const largestBlock = 4; // pixels a side; more would close the gap between two characters
const leastHeight = 16; // of the character in the copy

/** `isSeveral` tells a shape of touching characters, in the ink that it is given, from one. */
export function isPlainAtAGlance(
  image: Greys,
  isSeveral: (clean: CleanInk, shape: Character) => boolean,
): boolean {
  const { level, noise } = borderOf(image);
  if (noise !== 0) return false;
  const box = inkedBox(image, level);
  const block = Math.ceil(longestOf(box) / glanceSide);
  const isInside = box.x0 > 0 && box.y0 > 0 && box.x1 < image.width - 1 && box.y1 < image.height - 1;
  if (!isInside || block < 2 || block > largestBlock) return false;
  const map = inkMapOf(farthest(image, box, level, block));
  if (!map?.isEven || map.noise > 0) return false;
  const clean = cleanInk(map);
  const { characters, dropped } = findCharacters(clean);
  const [only, second] = characters;
  if (!only || second || dropped.length > 0 || clean.removed.lines.length > 0) return false;
  return heightOf(only.box) >= leastHeight && !isSeveral(clean, only);
}

/** Around all that differs from the paper; empty where nothing does. */
function inkedBox({ values, width, height }: Greys, level: number): Box {
  let [x0, x1, y0, y1] = [width, -1, height, -1];
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let left = 0;
    while (left < width && Math.abs(values[row + left]! - level) <= flat) left++;
    if (left === width) continue;
    let right = width - 1;
    while (Math.abs(values[row + right]! - level) <= flat) right--;
    if (left < x0) x0 = left;
    if (right > x1) x1 = right;
    if (y < y0) y0 = y;
    y1 = y;
  }
  return { x0, y0, x1, y1 };
}

/**
 * Makes the copy: it keeps the pixel farthest from `level` of each block of `block` × `block` pixels, counted from the box's
 * corner, and has one pixel of paper around.
 */
function farthest({ values, width }: Greys, { x0, y0, x1, y1 }: Box, level: number, block: number): Greys {
  const [columns, rows] = [Math.ceil((x1 - x0 + 1) / block), Math.ceil((y1 - y0 + 1) / block)];
  const across = columns + 2;
  const copy = new Uint8Array(across * (rows + 2)).fill(Math.round(level));
  const farness = new Float32Array(columns);
  for (let y = y0; y <= y1; y++) {
    const place = (1 + Math.floor((y - y0) / block)) * across + 1;
    if ((y - y0) % block === 0) farness.fill(0);
    for (let column = 0, i = y * width + x0; column < columns; column++) {
      const end = i + Math.min(block, x1 + 1 - x0 - column * block);
      for (; i < end; i++) {
        const distance = Math.abs(values[i]! - level);
        if (distance <= farness[column]!) continue;
        farness[column] = distance;
        copy[place + column] = values[i]!;
      }
    }
  }
  return { values: copy, width: across, height: rows + 2 };
}
