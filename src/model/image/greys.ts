/**
 * Decoded RGB or RGBA → greys: luminance, with transparency laid on a background that shows the ink. Where ink and paper
 * differ in colour only, the tones between their colours.
 */
import { quantile } from '../../lib/counts.ts';
import { tonesByColour } from './colour-axis.ts';
import type { Samples } from './samples.ts';
import { wordOf, wordsOf } from './words.ts';

/** A grey image, 0 black to 255 white. */
export type Greys = {
  readonly values: Uint8Array; // [height × width], row-major
  readonly width: number;
  readonly height: number;
};

const twoTones = 64; // levels apart; opaque pixels of one ink, smooth edges included, stay closer

/** Greys of equal channels keep their value exactly. */
export function toGreys(samples: Samples): Greys {
  const { values, width, height, channels } = samples;
  if (channels === 1) return { values, width, height };
  const greys = new Uint8Array(width * height);
  fillWithLuminance(greys, values, channels);
  const isClear = channels === 4 && layOnBackground(greys, samples);
  return { values: (isClear ? null : tonesByColour(samples, greys)) ?? greys, width, height };
}

/** Writes the luminance of each pixel. What is like its neighbour, as most of a drawing is, is not worked out again. */
function fillWithLuminance(greys: Uint8Array, values: Uint8Array, channels: number): void {
  const words = wordsOf(values);
  if (channels === 4) {
    for (let i = 0; i < greys.length; i++)
      greys[i] = i > 0 && words[i] === words[i - 1] ? greys[i - 1]! : luminanceAt(values, 4 * i);
    return;
  }
  const fours = wordsOf(greys); // of pixels, each of three words
  for (let n = 0; n < fours.length; n++) {
    const word = words[3 * n]!;
    if (word === words[3 * n + 1] && word === words[3 * n + 2] && word === wordOf(word & 255))
      fours[n] = word;
    else for (let i = 4 * n; i < 4 * n + 4; i++) greys[i] = luminanceAt(values, 3 * i);
  }
  for (let i = 4 * fours.length; i < greys.length; i++) greys[i] = luminanceAt(values, 3 * i);
}

/** ITU-R BT.601 in 8-bit fixed point; the weights sum to 256. */
const luminanceAt = (values: Uint8Array, j: number) =>
  (77 * values[j]! + 150 * values[j + 1]! + 29 * values[j + 2]!) >> 8;

/** False for an image that is opaque all over. */
function layOnBackground(greys: Uint8Array, samples: Samples): boolean {
  const { values } = samples;
  let least = 255;
  let most = 0;
  for (let j = 3; j < values.length; j += 4) {
    if (values[j]! < least) least = values[j]!;
    if (values[j]! > most) most = values[j]!;
  }
  if (least === 255) return false;
  const background = backgroundFor(greys, samples, Math.max(1, most / 2));
  for (let i = 0, j = 3; i < greys.length; i++, j += 4) {
    const alpha = values[j]!;
    greys[i] = Math.round((greys[i]! * alpha + background * (255 - alpha)) / 255);
  }
  return true;
}

/**
 * The tone for what is transparent. Opaque pixels of one tone are ink: the opposite end shows them.
 * Opaque pixels of two tones are a picture with its own background, a card with a digit on it or a
 * digit in a halo of paper: the tone of their rim goes on.
 */
function backgroundFor(greys: Uint8Array, { values, width }: Samples, opaque: number): number {
  const all = new Uint32Array(256);
  const rim = new Uint32Array(256);
  const isClear = (i: number) => !(values[4 * i + 3]! >= opaque); // outside the image too
  for (let i = 0; i < greys.length; i++) {
    if (isClear(i)) continue;
    all[greys[i]!]!++;
    if (isClear(i - 1) || isClear(i + 1) || isClear(i - width) || isClear(i + width)) rim[greys[i]!]!++;
  }
  const tone = quantile(all, 0.5);
  if (quantile(all, 0.98) - quantile(all, 0.02) < twoTones) return tone < 128 ? 255 : 0;
  return quantile(rim, quantile(rim, 0.5) < tone ? 0.1 : 0.9); // past the rim's own soft edge
}
