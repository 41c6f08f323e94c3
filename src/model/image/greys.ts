/** Decoded samples → greys: luminance, with transparency laid on a background that shows the ink. */
import type { Greys } from './ink.ts';

/** Interleaved 8-bit samples as sharp gives them: grey, grey and alpha, RGB or RGBA. */
export type Samples = Greys & { readonly channels: number };

const OPAQUE = 128; // alpha from which a pixel's own tone counts

export function toGreys(samples: Samples): Greys {
  const { values, width, height, channels } = samples;
  if (channels === 1) return samples;
  const greys = new Uint8Array(width * height);
  if (channels < 3) for (let i = 0; i < greys.length; i++) greys[i] = values[i * channels]!;
  else toLuminance(values, channels, greys);
  if (channels % 2 === 0) layOnBackground(greys, values, width, channels);
  return { values: greys, width, height };
}

/** ITU-R BT.601 in 8-bit fixed point; the weights sum to 256, so equal channels keep their value. */
function toLuminance(values: Uint8Array, channels: number, greys: Uint8Array): void {
  for (let i = 0, j = 0; i < greys.length; i++, j += channels) {
    greys[i] = (77 * values[j]! + 150 * values[j + 1]! + 29 * values[j + 2]!) >> 8;
  }
}

function layOnBackground(greys: Uint8Array, values: Uint8Array, width: number, channels: number): void {
  const alphaAt = channels - 1;
  let leastAlpha = 255;
  for (let j = alphaAt; j < values.length; j += channels)
    if (values[j]! < leastAlpha) leastAlpha = values[j]!;
  if (leastAlpha === 255) return;
  const background = backgroundFor(greys, values, width, channels);
  for (let i = 0, j = alphaAt; i < greys.length; i++, j += channels) {
    const alpha = values[j]!;
    greys[i] = Math.round((greys[i]! * alpha + background * (255 - alpha)) / 255);
  }
}

/**
 * The tone for what is transparent. Opaque pixels of one tone are ink: the opposite end shows them.
 * Opaque pixels of two tones are a picture with its own background (a card with a digit on it, a
 * digit with its paper's halo): the tone that borders on the transparent part goes on.
 */
function backgroundFor(greys: Uint8Array, values: Uint8Array, width: number, channels: number): number {
  const isOpaque = (i: number) => (values[i * channels + channels - 1] ?? 0) >= OPAQUE;
  const all = new Uint32Array(256);
  const rim = new Uint32Array(256);
  for (let i = 0; i < greys.length; i++) {
    if (!isOpaque(i)) continue;
    all[greys[i]!]!++;
    const isRim = !isOpaque(i - 1) || !isOpaque(i + 1) || !isOpaque(i - width) || !isOpaque(i + width);
    if (isRim) rim[greys[i]!]!++;
  }
  const tone = quantile(all, 0.5);
  if (quantile(all, 0.98) - quantile(all, 0.02) < 64) return tone < 128 ? 255 : 0;
  const rimTone = quantile(rim, 0.5);
  return rimTone;
}

/** The value that a share of the counted pixels does not exceed; 0 when nothing was counted. */
function quantile(counts: Uint32Array, share: number): number {
  const wanted = share * counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  let value = 0;
  while (value < 255 && (seen += counts[value]!) < wanted) value++;
  return value;
}
