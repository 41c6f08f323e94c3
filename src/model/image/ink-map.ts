/**
 * A picture as a map of ink: 0 is paper, more is ink, whichever of the two is darker. Light that changes over the paper,
 * softly or at the edge of a shadow, is divided out.
 */
import { type Border, borderOf } from './border.ts';
import type { Greys } from './greys.ts';
import { findInk } from './ink.ts';
import { averageBlocks, evenOut, levelSlope } from './lighting.ts';
import { blurred, despeckled } from './noise.ts';
import { paperOf, sampled } from './paper.ts';
import { isInkDark } from './polarity.ts';

export type InkMap = {
  readonly ink: Greys; // levels of ink, 0 on paper
  readonly contrast: number; // levels of strong ink
  readonly noise: number; // standard deviation on paper, in levels
  readonly isEven: boolean; // the paper had one level all over, as far as reading needs it
};

const coarseSide = 90; // pixels; the paper's light is worked out at this size
const unevenShare = 0.12; // of white, by which the paper's light may differ before it is divided out
const strongShare = 0.0015; // of all pixels: the strongest ones, no measure of contrast
const faintest = 20; // levels; in a drawing only soft edges are as faint
const mostFaint = 0.1; // of all pixels
const leastForShadows = 48; // pixels
const mostOnEdge = 0.15; // of the edge
const grainy = 0.07; // of the contrast: more noise than that is smoothed

/** Null where no ink stands out. */
export function inkMapOf(image: Greys): InkMap | null {
  const greys = despeckled(image);
  const isSpeckled = greys !== image;
  const border = borderOf(greys);
  const drawn = border.noise === 0 ? drawnInk(greys, border, isSpeckled) : null;
  if (drawn && isClearOfEdges(drawn)) return drawn;
  const photo = photoInk(greys, isSpeckled);
  if (!drawn) return photo;
  return photo && isClearOfEdges(photo) ? photo : drawn;
}

/** Null where no ink stands out, or where the paper has no flat tone but at the border. */
function drawnInk(greys: Greys, border: Border, isSpeckled: boolean): InkMap | null {
  const table = findInk(greys, border);
  if (!table) return null;
  let faint = 0;
  const values = new Uint8Array(greys.values.length);
  for (let i = 0; i < values.length; i++) {
    values[i] = table.of[greys.values[i]!]!;
    if (values[i]! > 0 && values[i]! <= faintest) faint++;
  }
  if (faint > mostFaint * values.length) return null;
  return { ink: { ...greys, values }, contrast: table.contrast, noise: 0, isEven: !isSpeckled };
}

/** Whether little ink lies on the picture's edge; else it is cut out tightly, or a shadow passes for ink. */
function isClearOfEdges({ ink, contrast }: InkMap): boolean {
  const { values, width, height } = ink;
  if (Math.min(width, height) < leastForShadows) return true;
  let count = 0;
  const look = (i: number) => {
    if (values[i]! > 0.3 * contrast) count++;
  };
  for (let x = 0; x < width; x++) [x, (height - 1) * width + x].forEach(look);
  for (let y = 0; y < height; y++) [y * width, (y + 1) * width - 1].forEach(look);
  return count < mostOnEdge * 2 * (width + height);
}

/** The level that is exceeded by few pixels only. */
export function strongestOf({ values }: Greys): number {
  const counts = new Uint32Array(256);
  for (let i = 0; i < values.length; i++) counts[values[i]!]!++;
  let value = 255;
  const few = strongShare * values.length;
  for (let seen = counts[255]!; seen <= few && value > 0; seen += counts[value]!) value--;
  return value;
}

function photoInk(clean: Greys, isSpeckled: boolean): InkMap | null {
  const evened = evenOut(clean);
  const table = findInk(evened.greys, evened.border);
  const coarse = coarsened(clean);
  const fallback = table ? table.of[0]! > table.of[255]! : true;
  const isDark = isInkDark(coarse, fallback);
  const paper = paperOf(isDark ? coarse : negative(coarse));
  const { ink, noise } = levelled(isDark ? clean : negative(clean), paper);
  const contrast = strongestOf(ink);
  const isEven = !isSpeckled && spreadOf(levelSlope(paper).values) < unevenShare * 255;
  if (contrast < Math.max(10, Math.min(5 * noise, 64))) return null;
  if (noise <= grainy * contrast) return { ink, contrast, noise, isEven };
  const smooth = blurred(ink, Math.max(1, Math.round(Math.min(clean.width, clean.height) / 160)));
  return { ink: smooth, contrast: strongestOf(smooth), noise: noise / 2.5, isEven: false };
}

function coarsened(greys: Greys): Greys {
  const block = Math.max(
    1,
    Math.min(
      Math.ceil(Math.max(greys.width, greys.height) / (2 * coarseSide)),
      Math.floor(Math.min(greys.width, greys.height) / 12),
    ),
    Math.ceil(Math.min(greys.width, greys.height) / coarseSide),
  );
  return block === 1 ? greys : averageBlocks(greys, block);
}

export function negative(greys: Greys): Greys {
  return { ...greys, values: greys.values.map((value) => 255 - value) };
}

/** How much darker each pixel is than its paper, as a share of the paper's light; the median is 0. */
function levelled(greys: Greys, paper: Greys): { ink: Greys; noise: number } {
  const { values, width, height } = greys;
  const light = sampled(paper, width, height);
  const counts = new Uint32Array(511);
  const shares = new Int16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const share = Math.round(255 - (255 * values[i]!) / Math.max(24, light[i]!));
    shares[i] = Math.max(-255, share);
    counts[shares[i]! + 255]!++;
  }
  const middle = nth(counts, values.length / 2) - 255;
  const low = nth(counts, values.length * 0.16) - 255; // one standard deviation below the median
  const noise = Math.max(0, middle - low);
  const floor = Math.min(2.5 * noise, 60);
  const ink = new Uint8Array(values.length);
  for (let i = 0; i < ink.length; i++) {
    const levels = shares[i]! - middle;
    if (levels > floor) ink[i] = Math.min(255, levels);
  }
  return { ink: { values: ink, width, height }, noise };
}

function nth(counts: Uint32Array, n: number): number {
  let value = 0;
  for (let seen = counts[0]!; seen <= n && value < counts.length - 1; seen += counts[value]!) value++;
  return value;
}

function spreadOf(values: Uint8Array): number {
  const sorted = values.toSorted();
  return sorted[Math.floor(0.98 * (sorted.length - 1))]! - sorted[Math.floor(0.02 * (sorted.length - 1))]!;
}
