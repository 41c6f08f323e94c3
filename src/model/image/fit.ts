/** The ink box fitted into MNIST's 20×20, its aspect kept. */
import { extentOf } from './extent.ts';
import type { Greys } from './greys.ts';
import { type Box, type Ink, inkBox } from './ink.ts';
import { enlarge, plainInk, shrink, thicken } from './resample.ts';

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
  const longer = longerSide(box);
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
  const all = { x0: 0, y0: 0, x1: thick.width - 1, y1: thick.height - 1 };
  return { pixels: toFullInk(shrink(thick, plainInk, all, width, height)), width, height };
}

/**
 * Widens the shorter side by the faint pixels that strokes fade out in, two fitted pixels at most.
 * Along the longer side the threshold alone decides, lest blur or noise make the digit smaller.
 */
function withSoftSides(greys: Greys, ink: Ink, box: Box): Box {
  const longer = longerSide(box);
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

function longerSide(box: Box): number {
  return Math.max(box.x1 - box.x0, box.y1 - box.y0) + 1;
}

/**
 * Mean width of the strokes in source pixels: a stroke of width w and length l has area w·l and
 * outline 2·l, and outlines in all directions cross rows and columns 4/π times their length.
 */
function strokeWidth({ values, width }: Greys, { of, contrast }: Ink, box: Box): number {
  const step = Math.ceil(longerSide(box) / 64); // lines enough
  let area = 0;
  let crossings = 0;
  const scan = (first: number, stride: number, end: number, weight: number): void => {
    let was = false;
    for (let i = first; i <= end; i += stride) {
      const is = of[values[i]!]! > contrast / 2;
      if (is) area += weight;
      if (is !== was) crossings++;
      was = is;
    }
    if (was) crossings++;
  };
  for (let y = box.y0; y <= box.y1; y += step) scan(y * width + box.x0, 1, y * width + box.x1, 1);
  for (let x = box.x0; x <= box.x1; x += step) scan(box.y0 * width + x, width, box.y1 * width + x, 0);
  return crossings === 0 ? 0 : (2 * area) / ((crossings * Math.PI) / 4);
}

function toFullInk(ink: Float32Array): Uint8Array {
  let strongest = 0;
  for (let i = 0; i < ink.length; i++) strongest = Math.max(strongest, ink[i]!);
  const gain = strongest >= fullInk - 0.5 ? 1 : 255 / strongest;
  return Uint8Array.from(ink, (amount) => Math.min(255, Math.round(amount * gain)));
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
