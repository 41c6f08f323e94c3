/**
 * Greys of any size → 28×28 as MNIST was made: white ink on black, the ink box fitted into 20×20 with
 * its aspect kept and greys from area averages, the centre of mass at the centre. What is no part of the character
 * (rules, boxes, specks, shadows, the edge of the paper) is taken away first.
 * Source: Y. LeCun, C. Cortes, C. Burges, http://yann.lecun.com/exdb/mnist
 */
import { isPlainAtAGlance } from './at-a-glance.ts';
import { type Box, heightOf, longestOf, widthOf } from './box.ts';
import { type CleanInk, cleanInk } from './clean-ink.ts';
import { type Character, type Found, findCharacters } from './find-characters.ts';
import { crop, withoutFrame } from './frame.ts';
import type { Greys } from './greys.ts';
import { findInk, inkBox } from './ink.ts';
import { type InkMap, inkMapOf } from './ink-map.ts';
import { averageBlocks } from './lighting.ts';
import { inMnistForm } from './mnist-form.ts';
import { patchOf } from './patch.ts';
import { readInk } from './read-ink.ts';
import { hasSecondCharacter } from './second-character.ts';
import { type Survey, survey } from './survey.ts';
import { shapeMask, touchingScore } from './touching.ts';
import { type Warning, type WarningCode, warning } from './warnings.ts';

export { hasMnistForm } from './mnist-form.ts';

export type Normalised = {
  readonly pixels: Uint8Array; // [784], row-major, white ink on black
  readonly warnings: readonly Warning[];
};

const smallest = 12; // pixels; in narrower pictures nothing is looked for but ink
const mostPixels = 160_000; // of the picture that shapes are looked for in
const leastInk = 12; // pixels of a character; less may be specks
const sharpEnough = 56; // pixels of height, below which a character found in a smaller copy is looked at again
const leastTouching = 24; // pixels of height, for touching digits to be told from one
const surelyOne = 0.6; // width to height: narrower is hardly two
const surelySeveral = 3.3; // log-odds: one digit in some hundreds passes for two
const lowResolution = 9; // pixels of height
const lowContrast = 6; // standard deviations of the noise

/**
 * The digit in 28×28, 784 bytes, or null where no ink stands out from the background. An image that
 * already has MNIST's form comes back byte for byte, its inverse inverted; so applied twice it changes nothing.
 */
export function normalise(image: Greys): Uint8Array | null {
  return normaliseWithWarnings(image)?.pixels ?? null;
}

/** Likewise, with what was taken away and what to look out for. */
export function normaliseWithWarnings(image: Greys): Normalised | null {
  const asItIs = inMnistForm(image);
  if (asItIs) return { pixels: asItIs, warnings: [] };
  const inside = withoutFrame(image);
  const found = readShapes(inside);
  if (!found) return null;
  const codes = inside === image ? found.codes : new Set([...found.codes, 'FRAME_REMOVED' as const]);
  return { pixels: found.pixels, warnings: [...codes].map(warning) };
}

type Read = { readonly pixels: Uint8Array; readonly codes: ReadonlySet<WarningCode> };

function readShapes(image: Greys): Read | null {
  const picture = survey(image);
  if (isPlainAtAGlance(picture, isSeveral)) return readAll(picture);
  const block = Math.min(mostBlock(image), Math.ceil(Math.sqrt((image.width * image.height) / mostPixels)));
  const page = block > 1 ? survey(averageBlocks(image, block)) : picture;
  if (Math.min(image.width, image.height) < smallest) return readTiny(picture);
  const map = inkMapOf(page);
  if (!map) return readAll(picture);
  const clean = cleanInk(map);
  const found = findCharacters(clean);
  const main = mainOf(found);
  if (!main || main.pixels < leastInk) return isFormOnly(clean) ? null : readAll(picture);
  const codes = codesOf(map, clean, found, main);
  const part = block > 1 && heightOf(main.box) < sharpEnough ? partAround(image, main.box, block) : null;
  if (part) {
    const read = readShapes(part);
    if (read) return { pixels: read.pixels, codes: new Set([...ofTheWhole(codes), ...read.codes]) };
  }
  const isPlain =
    map.isEven &&
    clean.removed.lines.length === 0 &&
    found.characters.length === 1 &&
    found.dropped.length === 0;
  const pixels = (isPlain ? readInk(picture) : null) ?? patchOf(clean, main);
  return pixels && { pixels, codes };
}

/** Leaves out the warnings that only hold for the smaller copy: the part is judged at its own size. */
const ofTheWhole = (codes: ReadonlySet<WarningCode>) =>
  [...codes].filter((code) => code !== 'LOW_RESOLUTION' && code !== 'LOW_CONTRAST');

/** The largest block that leaves twelve pixels along the shorter side. */
const mostBlock = ({ width, height }: Greys) => Math.max(1, Math.floor(Math.min(width, height) / smallest));

function readAll(picture: Survey): Read | null {
  const pixels = readInk(picture);
  return pixels && { pixels, codes: new Set() };
}

/** Likewise, of a picture so small that it may be too small to read. */
function readTiny(picture: Survey): Read | null {
  const read = readAll(picture);
  const ink = findInk(picture);
  const isLow = ink !== null && heightOf(inkBox(picture.greys, ink)) < lowResolution;
  return read && isLow ? { ...read, codes: new Set(['LOW_RESOLUTION']) } : read;
}

const isFormOnly = ({ removed }: CleanInk) => removed.lines.length > 0;

/** The largest character by its ink and size. */
function mainOf({ characters }: Found) {
  return characters.reduce<Found['characters'][number] | null>(
    (best, each) =>
      !best || each.pixels * longestOf(each.box) > best.pixels * longestOf(best.box) ? each : best,
    null,
  );
}

/** One character with some paper around it, to be looked at at full resolution; null where that is most of the picture. */
function partAround(image: Greys, box: Box, block: number): Greys | null {
  const margin = longestOf(box) * block;
  const x0 = Math.max(0, box.x0 * block - margin);
  const y0 = Math.max(0, box.y0 * block - margin);
  const x1 = Math.min(image.width, (box.x1 + 1) * block + margin);
  const y1 = Math.min(image.height, (box.y1 + 1) * block + margin);
  return (x1 - x0) * (y1 - y0) > (image.width * image.height) / 2 ? null : crop(image, x0, y0, x1, y1);
}

function isSeveral(clean: CleanInk, main: Character): boolean {
  const height = heightOf(main.box);
  if (height < leastTouching || widthOf(main.box) < surelyOne * height) return false;
  return touchingScore(shapeMask(clean, main)) > surelySeveral;
}

function codesOf(map: InkMap, clean: CleanInk, found: Found, main: Character): Set<WarningCode> {
  const { box } = main;
  const { width, height } = clean.ink;
  const codes = new Set<WarningCode>();
  if (found.characters.length > 1 || hasSecondCharacter(clean, main) || isSeveral(clean, main))
    codes.add('SEVERAL_SHAPES');
  if (clean.removed.hasBox) codes.add('FRAME_REMOVED');
  if (clean.removed.hasRules) codes.add('RULES_REMOVED');
  const edges = [box.x0 === 0, box.y0 === 0, box.x1 === width - 1, box.y1 === height - 1].filter(
    Boolean,
  ).length;
  if (edges === 1 || edges === 2) codes.add('TOUCHES_EDGE');
  if (heightOf(box) < lowResolution) codes.add('LOW_RESOLUTION');
  if (map.noise > 0 && clean.contrast < lowContrast * map.noise) codes.add('LOW_CONTRAST');
  return codes;
}
