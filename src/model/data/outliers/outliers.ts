/**
 * Made pictures of what is no digit, to train a network to say so (Hendrycks, Mazeika and Dietterich, 2019, "Deep anomaly
 * detection with outlier exposure"). Each is drawn anew from a generator: the same one gives the same pictures.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { between, oneOf, type Random } from '../../../lib/random.ts';
import { imageAt, type Split } from '../dataset.ts';
import { glyphs } from './glyphs.ts';
import { crossOut, drawScribble } from './scribbles.ts';
import { distortStrokes, drawFitted } from './strokes.ts';
import { drawGarment, drawNoise, drawTexture } from './surfaces.ts';
import { drawTwoDigits } from './two-digits.ts';

/** Draws into `target` [784], which is black. */
type Draw = (target: Uint8Array, random: Random, digits: Split) => void;

const kinds: readonly { readonly draw: Draw; readonly share: number }[] = [
  { draw: drawGlyph, share: 0.42 },
  { draw: (target, random) => drawScribble(target, random), share: 0.14 },
  { draw: drawCrossedOut, share: 0.04 },
  { draw: drawTwoDigits, share: 0.12 },
  { draw: (target, random) => drawGarment(target, random), share: 0.18 },
  { draw: (target, random) => drawTexture(target, random), share: 0.05 },
  { draw: (target, random) => drawNoise(target, random), share: 0.07 },
];

/** Draws one that is no digit into `target` [784]; `digits` are what two digits and crossed-out ones are made of. */
export function drawOutlier(target: Uint8Array, random: Random, digits: Split): void {
  target.fill(0);
  let left = between(random, 0, total);
  const chosen = kinds.find(({ share }) => (left -= share) < 0) ?? kinds[0]!;
  chosen.draw(target, random, digits);
}

const total = kinds.reduce((sum, { share }) => sum + share, 0);

function drawGlyph(target: Uint8Array, random: Random): void {
  drawFitted(distortStrokes(oneOf(random, glyphs), random), between(random, 1.2, 4.2), target);
}

function drawCrossedOut(target: Uint8Array, random: Random, digits: Split): void {
  target.set(imageAt(digits, uniformInt(random, 0, digits.count - 1)));
  crossOut(target, random);
}
