/** The ink box fitted into MNIST's 20×20, its aspect kept. */
import { type Box, heightOf, longestOf, wholeBox } from './box.ts';
import { extentOf } from './extent.ts';
import type { Greys } from './greys.ts';
import { type Ink, inkBox } from './ink.ts';
import { levelsAbove } from './mask.ts';
import { enlarge, plainInk, shrink, thicken } from './resample.ts';
import { wholeRows } from './runs.ts';

export const fitSide = 20; // pixels, the longer side of the fitted box; 19 in one of 4,000 MNIST images
export const fullInk = 254; // every MNIST image reaches 254 or 255

const thinnest = 1; // fitted pixels; MNIST's own strokes are 1.1 to 5.4 wide, half of them over 2.5
const faintShare = 0.1; // of the contrast; blur reaches farther with less ink than that

/** Ink on black, strongest 254 or 255, longer side 19 or 20. */
export type Patch = { readonly pixels: Uint8Array; readonly width: number; readonly height: number };

/**
 * Fits the ink box. Ink at its ends that averages out to nothing is left out and the rest fitted
 * again, so that the result always fills its 20 pixels.
 */
export function fit(greys: Greys, ink: Ink): Patch {
  let box = withSoftSides(greys, ink, inkBox(greys, ink));
  for (;;) {
    const patch = fitBox(greys, ink, box);
    const inked = extentOf(patch.pixels, patch.width);
    if (inked.longest >= fitSide - 1) return patch;
    box = within(box, inked.box, patch);
  }
}

function fitBox(greys: Greys, ink: Ink, box: Box): Patch {
  const longer = longestOf(box);
  const scale = longer === fitSide - 1 ? 1 : fitSide / longer; // 19 is a size of MNIST's too, better left sharp
  const width = Math.max(1, Math.round((box.x1 - box.x0 + 1) * scale));
  const height = Math.max(1, Math.round((box.y1 - box.y0 + 1) * scale));
  if (scale > 1) return { pixels: toFullInk(enlarge(greys, ink, box, width, height)), width, height };
  if (scale === 1 || strokeWidth(greys, ink, box) * scale >= thinnest) {
    return { pixels: toFullInk(shrink(greys, ink, box, width, height)), width, height };
  }
  return fitThin(greys, ink, box, Math.max(2, width), Math.max(2, height));
}

/** At twice the fitted size, one pixel of growth makes strokes 1.5 to 2 fitted pixels wide. */
function fitThin(greys: Greys, ink: Ink, box: Box, width: number, height: number): Patch {
  const thick = thicken(greys, ink, box, 2 * width, 2 * height);
  const all = { ...plainInk, runs: wholeRows(thick) };
  return { pixels: toFullInk(shrink(thick, all, wholeBox(thick), width, height)), width, height };
}

/**
 * Widens the shorter side by the faint pixels that strokes fade out in, two fitted pixels at most.
 * Along the longer side the threshold alone decides, lest blur or noise make the digit smaller.
 */
function withSoftSides(greys: Greys, ink: Ink, box: Box): Box {
  const longer = longestOf(box);
  const isCopied = longer === fitSide || longer === fitSide - 1;
  const faintest = isCopied ? 0 : faintShare * ink.contrast;
  const { values, width, height } = greys;
  if (box.y1 - box.y0 + 1 === longer) {
    const isSoft = (x: number) => hasInk(values, ink, faintest, box.y0 * width + x, width, longer);
    const [x0, x1] = widen(box.x0, box.x1, width, longer, isSoft);
    return { ...box, x0, x1 };
  }
  const isSoft = (y: number) => hasInk(values, ink, faintest, y * width + box.x0, 1, longer);
  const [y0, y1] = widen(box.y0, box.y1, height, longer, isSoft);
  return { ...box, y0, y1 };
}

function widen(
  first: number,
  last: number,
  end: number,
  longer: number,
  isSoft: (line: number) => boolean,
): [number, number] {
  const reach = Math.round((2 * longer) / fitSide);
  let [low, high] = [first, last];
  while (low > 0 && first - low < reach && high - low + 1 < longer && isSoft(low - 1)) low--;
  while (high < end - 1 && high - last < reach && high - low + 1 < longer && isSoft(high + 1)) high++;
  return [low, high];
}

function hasInk(
  values: Uint8Array,
  ink: Ink,
  above: number,
  start: number,
  step: number,
  count: number,
): boolean {
  for (let n = 0, i = start; n < count; n++, i += step) if (ink.of[values[i]!]! > above) return true;
  return false;
}

/**
 * Mean width of the strokes in source pixels: a stroke of width w and length l has area w·l and
 * outline 2·l, and outlines in all directions cross rows and columns 4/π times their length.
 */
function strokeWidth({ values, width }: Greys, { of, contrast, runs }: Ink, box: Box): number {
  const isInk = levelsAbove(contrast / 2, of);
  const step = Math.ceil(longestOf(box) / 64); // lines enough
  let [area, crossings] = [0, 0];
  for (let n = 0; n < runs.row.length; n++) {
    const y = runs.row[n]!;
    if (y < box.y0 || y > box.y1 || (y - box.y0) % step > 0) continue;
    const from = Math.max(box.x0, runs.from[n]!);
    const row = scanLine(values, isInk, y * width + from, 1, Math.min(box.x1 + 1, runs.to[n]!) - from);
    area += row.ink;
    crossings += row.crossings;
  }
  for (let x = box.x0; x <= box.x1; x += step)
    crossings += scanLine(values, isInk, box.y0 * width + x, width, heightOf(box)).crossings;
  return crossings === 0 ? 0 : (2 * area) / ((crossings * Math.PI) / 4);
}

/** Pixels of ink on a row or column, and how often ink begins or ends. */
function scanLine(
  values: Uint8Array,
  isInk: Uint8Array,
  start: number,
  step: number,
  count: number,
): { readonly ink: number; readonly crossings: number } {
  let [ink, crossings, was] = [0, 0, 0];
  for (let n = 0, i = start; n < count; n++, i += step) {
    const is = isInk[values[i]!]!;
    ink += is;
    if (is !== was) crossings++;
    was = is;
  }
  return { ink, crossings: crossings + was };
}

function toFullInk(ink: Float32Array): Uint8Array {
  let strongest = 0;
  for (let i = 0; i < ink.length; i++) strongest = Math.max(strongest, ink[i]!);
  const gain = strongest >= fullInk - 0.5 ? 1 : 255 / strongest;
  const pixels = new Uint8Array(ink.length);
  for (let i = 0; i < ink.length; i++) pixels[i] = Math.min(255, Math.round(ink[i]! * gain));
  return pixels;
}

/** The part of `box` under the patch's inked pixels; smaller than `box` where an end has none. */
function within(box: Box, inked: Box, patch: Patch): Box {
  const stepX = (box.x1 - box.x0 + 1) / patch.width;
  const stepY = (box.y1 - box.y0 + 1) / patch.height;
  return {
    x0: box.x0 + Math.floor(inked.x0 * stepX),
    y0: box.y0 + Math.floor(inked.y0 * stepY),
    x1: box.x0 + Math.ceil((inked.x1 + 1) * stepX) - 1,
    y1: box.y0 + Math.ceil((inked.y1 + 1) * stepY) - 1,
  };
}
