/**
 * All characters of a picture with one line of them, from left to right. A shape that may be several characters comes with
 * every piece that cuts allow; `choose-pieces.ts` chooses among them once a network has read them.
 */
import { type Box, heightOf, widthOf } from './box.ts';
import { type CleanInk, cleanInk } from './clean-ink.ts';
import { type CutPath, cutPaths } from './cut-paths.ts';
import { type Character, findCharacters } from './find-characters.ts';
import { insideFrame } from './frame.ts';
import type { Greys } from './greys.ts';
import { inkMapOf } from './ink-map.ts';
import { averageBlocks } from './lighting.ts';
import { ownLabels } from './mask.ts';
import { patchOf } from './patch.ts';
import { survey } from './survey.ts';
import { shapeMask, touchingScore } from './touching.ts';
import { mostCharacters, type Warning, type WarningCode, warning } from './warnings.ts';

/** In the picture's pixels. */
export type PictureBox = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

/** What lies between two cuts of a shape, or between a cut and an end. */
export type Piece = {
  readonly from: number; // 0: the shape's left end; 1: its first cut
  readonly to: number;
  readonly pixels: Uint8Array; // [784]
  readonly box: PictureBox;
  readonly height: number; // as a share of the line's
};

export type LineShape = {
  readonly ends: number; // cuts and one: a reading goes from 0 to here, piece by piece
  readonly pieces: readonly Piece[];
  readonly costs: readonly number[]; // of each cut: ink that it crosses, as a share of the shape's height
  readonly several: number; // 0 to 1: how likely it is more than one character by its form
};

export type FoundLine = { readonly shapes: readonly LineShape[]; readonly warnings: readonly Warning[] };

const mostPixels = 700_000; // of the picture that shapes are looked for in
const mostPieces = 400; // of all shapes; then no further shape is cut, since a network has to read each piece
const surelyOne = -4; // log-odds below which a shape is not cut
const rarity = 2; // log-odds: beside others, a digit is apart more often than it touches
const loneRarity = 1; // alone it may well be a number whose digits all touch
const narrow = 0.5; // width to height, below which it is neither
const widestPiece = 1.5; // width to the line's height
const betweenLines = 0.15; // of the line's height

/** No shapes where there is no ink. */
export function findLine(picture: Greys): FoundLine {
  const inside = insideFrame(picture);
  const image = inside.greys;
  const block = Math.max(1, Math.ceil(Math.sqrt((image.width * image.height) / mostPixels)));
  const isLarge = block > 1 && Math.min(image.width, image.height) >= 12 * block;
  const map = inkMapOf(survey(isLarge ? averageBlocks(image, block) : image));
  if (!map) return { shapes: [], warnings: [] };
  const clean = cleanInk(map);
  const { characters } = findCharacters(clean);
  const line = medianHeight(characters);
  const place = { scale: isLarge ? block : 1, x: inside.x, y: inside.y };
  const rare = characters.length > 1 ? rarity : loneRarity;
  const shapes: LineShape[] = [];
  let count = 0; // of pieces
  for (const character of characters.slice(0, mostCharacters)) {
    const shape = shapeOf(clean, character, { line, place, rare, mayCut: count < mostPieces });
    count += shape.pieces.length;
    shapes.push(shape);
  }
  const codes: WarningCode[] = [];
  if (image !== picture || clean.removed.hasBox) codes.push('FRAME_REMOVED');
  if (clean.removed.hasRules) codes.push('RULES_REMOVED');
  if (isOfSeveralLines(characters, line)) codes.push('SEVERAL_LINES');
  if (characters.length > mostCharacters) codes.push('TOO_MANY_CHARACTERS');
  return { shapes: shapes.filter(({ pieces }) => pieces.length > 0), warnings: codes.map(warning) };
}

function medianHeight(characters: readonly Character[]): number {
  const heights = characters.map(({ box }) => heightOf(box)).toSorted((a, b) => a - b);
  return heights[heights.length >> 1] ?? 1;
}

/** Whether one character lies wholly below the next one from the left, or above it: a slanted line does not rise as fast. */
function isOfSeveralLines(characters: readonly Character[], line: number): boolean {
  return characters.some(({ box }, n) => {
    const next = characters[n + 1]?.box;
    return next !== undefined && Math.max(box.y0 - next.y1, next.y0 - box.y1) > betweenLines * line;
  });
}

/** Where the page lies in the picture; `scale`: pixels of the picture for one of the page. */
type Place = { readonly scale: number; readonly x: number; readonly y: number };

type Surroundings = {
  readonly line: number; // pixels of height
  readonly place: Place;
  readonly rare: number; // log-odds
  readonly mayCut: boolean;
};

function shapeOf(
  clean: CleanInk,
  character: Character,
  { line, place, rare, mayCut }: Surroundings,
): LineShape {
  const mask = shapeMask(clean, character);
  const isNarrow = mask.width < narrow * mask.height;
  const score = isNarrow || !mayCut ? surelyOne : touchingScore(mask);
  const paths = score <= surelyOne ? [] : cutPaths(mask);
  if (paths.length === 0) return wholeOf(clean, character, line, place);
  const several = 1 / (1 + Math.exp(rare - score));
  const regions = labelled(clean, character, paths);
  const pieces: Piece[] = [];
  for (let from = 0; from <= paths.length; from++) {
    for (let to = from + 1; to <= paths.length + 1; to++) {
      const isWhole = from === 0 && to === paths.length + 1;
      const part = partOf(regions, character, from, to);
      if (!part || (!isWhole && widthOf(part.box) > widestPiece * line)) continue;
      const pixels = patchOf({ ...clean, labels: regions }, part);
      if (!pixels) continue;
      pieces.push({ from, to, pixels, box: placed(part.box, place), height: heightOf(part.box) / line });
    }
  }
  const costs = paths.map(({ cost }) => cost / mask.height);
  return { ends: paths.length + 1, pieces, costs, several };

  function partOf(labels: Int32Array, { box }: Character, from: number, to: number): Character | null {
    const own = Array.from({ length: to - from }, (_, i) => from + i + 1);
    const found = boxOf(labels, clean.ink.width, box, from + 1, to);
    return found && { box: found.box, pixels: found.pixels, labels: own };
  }
}

function wholeOf(clean: CleanInk, character: Character, line: number, place: Place): LineShape {
  const pixels = patchOf(clean, character);
  const { box } = character;
  const piece = pixels && { from: 0, to: 1, pixels, box: placed(box, place), height: heightOf(box) / line };
  return { ends: 1, pieces: piece ? [piece] : [], costs: [], several: 0 };
}

/** The picture's labels anew: 1 for what is left of the first cut, 2 for what follows …, -1 for other shapes. */
function labelled(
  { labels, ink }: CleanInk,
  { box, labels: own }: Character,
  paths: readonly CutPath[],
): Int32Array {
  const isOwn = ownLabels(own);
  const regions = new Int32Array(labels.length);
  for (let i = 0; i < labels.length; i++) if (labels[i] !== 0) regions[i] = -1;
  for (let y = box.y0; y <= box.y1; y++) {
    for (let x = box.x0; x <= box.x1; x++) {
      const i = y * ink.width + x;
      if (!isOwn[labels[i]!]) continue;
      regions[i] = 1 + paths.filter(({ columns }) => x - box.x0 > columns[y - box.y0]!).length;
    }
  }
  return regions;
}

function boxOf(labels: Int32Array, width: number, within: Box, first: number, last: number) {
  let [x0, x1, y0, y1, pixels] = [Number.POSITIVE_INFINITY, -1, Number.POSITIVE_INFINITY, -1, 0];
  for (let y = within.y0; y <= within.y1; y++) {
    for (let x = within.x0; x <= within.x1; x++) {
      const label = labels[y * width + x]!;
      if (label < first || label > last) continue;
      pixels++;
      [x0, x1, y0, y1] = [Math.min(x0, x), Math.max(x1, x), Math.min(y0, y), Math.max(y1, y)];
    }
  }
  return x1 < 0 ? null : { box: { x0, y0, x1, y1 }, pixels };
}

function placed(box: Box, { scale, x, y }: Place): PictureBox {
  const [width, height] = [widthOf(box) * scale, heightOf(box) * scale];
  return { x: x + box.x0 * scale, y: y + box.y0 * scale, width, height };
}
