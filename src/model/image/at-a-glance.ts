/**
 * Whether a drawing on flat paper shows one plain character, told from a small copy: most drawings do, and need no closer look.
 * The copy keeps of each block the pixel that is farthest from the paper, so that no thin line and no speck is lost.
 */
import { borderOf } from './border.ts';
import { cleanInk } from './clean-ink.ts';
import { type Character, findCharacters } from './find-characters.ts';
import type { Greys } from './greys.ts';
import { inkMapOf } from './ink-map.ts';
import { heightOf } from './shapes.ts';

const glanceSide = 94; // pixels of the copy's longer side
const largestBlock = 4; // pixels a side; more would close the gap between two characters
const leastHeight = 16; // of the character in the copy

/** `isSeveral` tells a shape of touching characters, in the ink that it is given, from one. */
export function isPlainAtAGlance(
  image: Greys,
  isSeveral: (clean: ReturnType<typeof cleanInk>, shape: Character) => boolean,
): boolean {
  const block = Math.ceil(Math.max(image.width, image.height) / glanceSide);
  if (block < 2 || block > largestBlock) return false;
  const border = borderOf(image);
  if (border.noise !== 0) return false;
  const copy = farthest(image, border.level, block);
  const map = inkMapOf(copy);
  if (!map?.isEven || map.noise > 0) return false;
  const clean = cleanInk(map);
  const { characters, dropped } = findCharacters(clean);
  const [only, second] = characters;
  if (!only || second || dropped.length > 0 || clean.removed.lines.length > 0) return false;
  const { x0, y0, x1, y1 } = only.box;
  const isInside = x0 > 0 && y0 > 0 && x1 < copy.width - 1 && y1 < copy.height - 1;
  return isInside && heightOf(only.box) >= leastHeight && !isSeveral(clean, only);
}

/** Of each block of `block` × `block` pixels, cut off at the right and below, the one farthest from `level`. */
function farthest({ values, width, height }: Greys, level: number, block: number): Greys {
  const [columns, rows] = [Math.ceil(width / block), Math.ceil(height / block)];
  const copy = new Uint8Array(columns * rows);
  const farness = new Float32Array(columns).fill(-1);
  for (let y = 0, i = 0; y < height; y++) {
    const row = Math.floor(y / block) * columns;
    if (y % block === 0) farness.fill(-1);
    for (let column = 0, end = i; column < columns; column++) {
      end += Math.min(block, width - column * block);
      let far = farness[column]!;
      for (; i < end; i++) {
        const distance = Math.abs(values[i]! - level);
        if (distance <= far) continue;
        far = distance;
        copy[row + column] = values[i]!;
      }
      farness[column] = far;
    }
  }
  return { values: copy, width: columns, height: rows };
}
