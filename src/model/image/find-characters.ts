/** Shapes of ink → characters: joins the strokes of one character, leaves out specks and bands along the edge. */
import { type Box, heightOf, longestOf, union, widthOf } from './box.ts';
import type { CleanInk } from './clean-ink.ts';
import type { Shape } from './shapes.ts';
import type { Line } from './straight-lines.ts';

export type Character = {
  readonly box: Box;
  readonly pixels: number; // of strong ink
  readonly labels: readonly number[]; // of its shapes
};

export type Found = {
  readonly characters: readonly Character[]; // from left to right
  readonly dropped: readonly Shape[]; // specks and edges
};

const speckSide = 0.2; // of the largest shape's longer side
const speckInk = 0.05; // of its pixels
const leastPage = 48; // pixels; smaller pictures are often cut out tightly
const nearShare = 0.12; // of the largest shape's longer side
const small = 32; // pixels; dust as small as a hundredth of a digit is not seen at such a size …
const nearSmall = 0.45; // … so that what is seen is rather part of it
const partSide = 0.62; // of its neighbour's height: lower shapes near it are parts of it
const partSideSmall = 0.72;
const partGap = 0.25; // of the neighbour's height
const mostShapes = 300; // the largest ones; a picture with more shows a page of print, a pattern or noise
const least = 0.42; // of the tallest character's height, for a character of its own

export function findCharacters({ shapes: all, ink, removed }: CleanInk): Found {
  const shapes = all.slice(0, mostShapes);
  const edges = new Set(shapes.filter((shape) => isEdge(shape, ink.width, ink.height)));
  const inner = shapes.filter((shape) => !edges.has(shape));
  const main = largestOf(inner.length > 0 ? inner : shapes);
  if (!main) return { characters: [], dropped: [] };
  const teeth = shapes.filter((shape) => removed.lines.some((line) => isTooth(shape, line)));
  const isPart = (shape: Shape) => {
    if (edges.has(shape) && isPost(shape.box)) return false;
    return isNear(shape.box, main.box) || !(edges.has(shape) || isSpeck(shape, main));
  };
  const kept = shapes.filter((shape) => shape === main || (isPart(shape) && !teeth.includes(shape)));
  const characters = joined(kept.map(({ box, pixels, label }) => ({ box, pixels, labels: [label] })));
  const tallest = Math.max(...characters.map(({ box }) => heightOf(box)));
  const whole = characters.filter(({ box }) => heightOf(box) >= least * tallest);
  const labels = new Set(whole.flatMap((character) => character.labels));
  return {
    characters: whole.toSorted((a, b) => a.box.x0 + a.box.x1 - b.box.x0 - b.box.x1),
    dropped: all.filter((shape) => !labels.has(shape.label)),
  };
}

const largestOf = (shapes: readonly Shape[]) =>
  shapes.reduce<Shape | null>((best, shape) => (!best || sizeOf(shape) > sizeOf(best) ? shape : best), null);

const sizeOf = ({ box, pixels }: Shape) => Math.sqrt(pixels) * longestOf(box);

function isSpeck({ box, pixels }: Shape, main: Shape): boolean {
  const longest = longestOf(main.box);
  if (longestOf(box) < speckSide * longest && pixels < speckInk * main.pixels) return true;
  return pixels < 0.02 * main.pixels;
}

/** So near that it may be part of a stroke, and changes the size of the whole by little. */
function isNear(box: Box, main: Box): boolean {
  const longest = longestOf(main);
  const reach = (longest < small ? nearSmall : nearShare) * longest;
  const gapX = Math.max(main.x0 - box.x1, box.x0 - main.x1) - 1;
  const gapY = Math.max(main.y0 - box.y1, box.y0 - main.y1) - 1;
  return Math.max(gapX, gapY) <= reach;
}

const isPost = (box: Box) => heightOf(box) > 3 * widthOf(box);

/** What stands on a form's line, or hangs from it, and is no thicker: a separator of fields. */
function isTooth({ box }: Shape, line: Line): boolean {
  if (line.isUpright || !isPost(box) || widthOf(box) > line.thickness + 2) return false;
  const x = (box.x0 + box.x1) / 2;
  const y = line.offset + line.slope * x;
  const reach = line.thickness + 4;
  const isOver = x >= line.from - reach && x <= line.to + reach;
  return isOver && (Math.abs(y - box.y1) <= reach || Math.abs(y - box.y0) <= reach);
}

/** A band of dark along the edge: the table beside the paper, the rest of a frame. */
function isEdge({ box, pixels }: Shape, width: number, height: number): boolean {
  if (Math.min(width, height) < leastPage) return false;
  const reach = 0.14;
  const touches = box.x0 <= 0 || box.y0 <= 0 || box.x1 >= width - 1 || box.y1 >= height - 1;
  if (!touches) return false;
  const isNarrow =
    box.x1 < reach * width ||
    box.x0 >= (1 - reach) * width ||
    box.y1 < reach * height ||
    box.y0 >= (1 - reach) * height;
  const spans = widthOf(box) > 0.97 * width && heightOf(box) > 0.97 * height;
  return isNarrow || (spans && pixels < 0.2 * widthOf(box) * heightOf(box));
}

/** Joins until nothing belongs together any more: what was joined is larger, and may belong to another. */
function joined(all: readonly Character[]): Character[] {
  const characters = [...all];
  for (let before = 0; before !== characters.length; ) {
    before = characters.length;
    for (let i = 0; i < characters.length; i++) {
      for (let j = characters.length - 1; j > i; j--) {
        if (!belong(characters[i]!, characters[j]!)) continue;
        characters[i] = merged(characters[i]!, characters[j]!);
        characters.splice(j, 1);
      }
    }
  }
  return characters;
}

function merged(one: Character, other: Character): Character {
  return {
    box: union(one.box, other.box),
    pixels: one.pixels + other.pixels,
    labels: [...one.labels, ...other.labels],
  };
}

/** One above the other and near, or a small one close to a tall one. */
function belong(a: Character, b: Character): boolean {
  const gapX = gapOf(a.box.x0, a.box.x1, b.box.x0, b.box.x1);
  const gapY = gapOf(a.box.y0, a.box.y1, b.box.y0, b.box.y1);
  const [first, second] = [heightOf(a.box), heightOf(b.box)];
  const [lower, taller] = [Math.min(first, second), Math.max(first, second)];
  const share = taller < small ? nearSmall : partGap;
  const isBelow = -gapX > 0.5 * Math.min(widthOf(a.box), widthOf(b.box));
  if (isBelow) return gapY <= share * Math.max(taller, widthOf(a.box), widthOf(b.box));
  const isStacked = -gapY < 0.15 * lower && gapX <= 0.1 * taller;
  return (
    (isStacked || lower < (taller < small ? partSideSmall : partSide) * taller) &&
    Math.max(gapX, gapY) <= share * taller
  );
}

/** Pixels between two ranges; below 0 where they overlap. */
function gapOf(a0: number, a1: number, b0: number, b1: number): number {
  return Math.max(a0, b0) - Math.min(a1, b1) - 1;
}
