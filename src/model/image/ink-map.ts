/**
 * A picture as a map of ink: 0 is paper, more is ink, whichever of the two is darker. Light that changes over the paper,
 * softly or at the edge of a shadow, is divided out.
 */
import { histogram, nth } from '../../lib/counts.ts';
import type { Greys } from './greys.ts';
import { findInk } from './ink.ts';
import { averageBlocks, evenOut, levelSlope } from './lighting.ts';
import { blurred, despeckled } from './noise.ts';
import { paperOf, sampled } from './paper.ts';
import { isInkDark } from './polarity.ts';
import { type Survey, survey } from './survey.ts';

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
export function inkMapOf(picture: Survey): InkMap | null {
  const greys = despeckled(picture.greys);
  const isSpeckled = greys !== picture.greys;
  const calm = isSpeckled ? survey(greys) : picture;
  const flat = drawnInk(calm);
  const drawn = flat && { ...flat, isEven: !isSpeckled };
  if (drawn && isClearOfEdges(drawn)) return drawn;
  const photo = photoInk(calm, isSpeckled);
  if (!drawn) return photo;
  return photo && isClearOfEdges(photo) ? photo : drawn;
}

/** The ink of a drawing. Null where none stands out, or where the paper has no flat tone, or has it at the border only. */
export function drawnInk(calm: Survey): InkMap | null {
  const { greys, border } = calm;
  if (border.noise !== 0) return null;
  const table = findInk(calm);
  if (!table) return null;
  let faint = 0;
  const values = new Uint8Array(greys.values.length);
  for (let i = 0; i < values.length; i++) {
    values[i] = table.of[greys.values[i]!]!;
    if (values[i]! > 0 && values[i]! <= faintest) faint++;
  }
  if (faint > mostFaint * values.length) return null;
  return { ink: { ...greys, values }, contrast: table.contrast, noise: 0, isEven: true };
}

/** Whether little ink lies on the picture's edge; else it is cut out tightly, or a shadow passes for ink. */
function isClearOfEdges({ ink, contrast }: InkMap): boolean {
  const { values, width, height } = ink;
  if (Math.min(width, height) < leastForShadows) return true;
  const isStrong = (i: number) => Number(values[i]! > 0.3 * contrast);
  let count = 0;
  for (let x = 0; x < width; x++) count += isStrong(x) + isStrong((height - 1) * width + x);
  for (let y = 0; y < height; y++) count += isStrong(y * width) + isStrong((y + 1) * width - 1);
  return count < mostOnEdge * 2 * (width + height);
}

/** The level that is exceeded by few pixels only. */
export function strongestOf({ values }: Greys): number {
  const counts = histogram(values);
  let value = 255;
  const few = strongShare * values.length;
  for (let seen = counts[255]!; seen <= few && value > 0; seen += counts[value]!) value--;
  return value;
}

function photoInk(calm: Survey, isSpeckled: boolean): InkMap | null {
  const clean = calm.greys;
  const table = findInk(evenOut(calm).even);
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

function spreadOf(values: Uint8Array): number {
  const counts = histogram(values);
  const last = values.length - 1;
  return nth(counts, Math.floor(0.98 * last)) - nth(counts, Math.floor(0.02 * last));
}
