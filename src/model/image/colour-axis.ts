/**
 * Coloured ink on coloured paper that is about as bright: the tones along the line from the paper's colour to the ink's
 * tell them apart where greys don't.
 */
import { histogram, nth } from '../../lib/counts.ts';
import type { Samples } from './samples.ts';

const clearSpread = 64; // levels between greys; where a share of the pixels is that far apart, greys will do
const fewSamples = 2048; // of a picture that are looked at first
const weakContrast = 48; // levels of luminance; ink that stands out more is read from greys
const leastColour = 40; // levels between colours; what JPEG leaves on a blank page stays below 20
/** A grey difference of one level is √3 levels of colour, so that greys never take this path. */
const colourOverGrey = 2;
const speckShare = 0.0002; // of all pixels: this few strongest ones are no measure of contrast
const inkShare = 0.6; // of the farthest distance from the paper: what is farther is ink, without its soft edge
const paperTone = 232; // leaves room for the paper's noise
const mostColour = Math.ceil(255 * Math.sqrt(3));

type Colour = readonly [red: number, green: number, blue: number];

/**
 * The tones [height × width] of an opaque picture, dark ink on light paper. Null where its greys tell ink from paper, or
 * colours don't either.
 */
export function tonesByColour({ values, channels }: Samples, greys: Uint8Array): Uint8Array | null {
  if (spread(greys, 0.01, Math.max(1, Math.floor(greys.length / fewSamples))) >= clearSpread) return null;
  const contrast = spread(greys, speckShare, 1);
  if (contrast >= weakContrast) return null;
  const paper = [0, 1, 2].map((channel) => median(values, channel, channels)) as unknown as Colour;
  const distances = distancesFrom(paper, values, channels, greys.length);
  const far = nth(histogram(distances, mostColour + 1, 1), (1 - speckShare) * greys.length);
  if (far < Math.max(leastColour, colourOverGrey * contrast)) return null;
  const ink = meanColour(values, channels, distances, inkShare * far);
  const axis = ink.map((level, channel) => level - paper[channel]!) as unknown as Colour;
  const length = Math.hypot(...axis);
  return length < far / 2 ? null : project(values, channels, paper, axis, length); // inks of several colours
}

/** Levels between the greys of a share of the pixels at each end; `step`: only each so many are counted. */
function spread(greys: Uint8Array, share: number, step: number): number {
  const counts = histogram(greys, 256, step);
  const total = Math.ceil(greys.length / step);
  return nth(counts, (1 - share) * total) - nth(counts, share * total);
}

function median(values: Uint8Array, from: number, step: number): number {
  return nth(histogram(values.subarray(from), 256, step), values.length / step / 2);
}

function distancesFrom(
  [red, green, blue]: Colour,
  values: Uint8Array,
  channels: number,
  pixels: number,
): Uint16Array {
  const distances = new Uint16Array(pixels);
  for (let i = 0, j = 0; i < pixels; i++, j += channels) {
    const [r, g, b] = [values[j]! - red, values[j + 1]! - green, values[j + 2]! - blue];
    distances[i] = Math.round(Math.sqrt(r * r + g * g + b * b));
  }
  return distances;
}

/** Returns the mean colour of the pixels whose distance is `least` or more. The caller makes sure that there are some. */
function meanColour(values: Uint8Array, channels: number, distances: Uint16Array, least: number): Colour {
  const sum: [number, number, number] = [0, 0, 0];
  let count = 0;
  for (let i = 0, j = 0; i < distances.length; i++, j += channels) {
    if (distances[i]! < least) continue;
    count++;
    for (let channel = 0; channel < 3; channel++) sum[channel]! += values[j + channel]!;
  }
  return sum.map((total) => total / count) as unknown as Colour;
}

/** One level of colour is one of tone, or less where there are more of them than tones. */
function project(
  values: Uint8Array,
  channels: number,
  paper: Colour,
  axis: Colour,
  length: number,
): Uint8Array {
  const scale = Math.min(1, paperTone / length) / length;
  const [red, green, blue] = axis.map((level) => level * scale) as unknown as Colour;
  const [r0, g0, b0] = paper;
  const tones = new Uint8Array(values.length / channels);
  for (let i = 0, j = 0; i < tones.length; i++, j += channels) {
    const along = (values[j]! - r0) * red + (values[j + 1]! - g0) * green + (values[j + 2]! - b0) * blue;
    tones[i] = Math.max(0, Math.min(255, Math.round(paperTone - along)));
  }
  return tones;
}
