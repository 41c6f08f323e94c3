/**
 * Made pictures of what shows none of the labels, to train a network to say so (Hendrycks, Mazeika and Dietterich, 2019, "Deep anomaly
 * detection with outlier exposure"). Each is drawn anew from a generator: the same one gives the same pictures.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { between, oneOf, type Random } from '../../../lib/random.ts';
import { imageAt, type Split } from '../dataset.ts';
import { areDigits } from '../labels.ts';
import { glyphs } from './glyphs.ts';
import { crossOut, drawScribble } from './scribbles.ts';
import { distortStrokes, drawFitted } from './strokes.ts';
import { drawGarment, drawNoise, drawTexture } from './surfaces.ts';
import { drawTwoDigits } from './two-digits.ts';

/** Draws into `target` [784], which is black. */
type Draw = (target: Uint8Array, random: Random, examples: Split) => void;
type Kind = { readonly draw: Draw; readonly share: number };

/** A way to draw outliers for one set of labels. */
export type DrawOutlier = (target: Uint8Array, random: Random, examples: Split) => void;

/** What shows no sign that anybody would label. */
const unlabelled: readonly Kind[] = [
  { draw: (target, random) => drawScribble(target, random), share: 0.14 },
  { draw: drawCrossedOut, share: 0.04 },
  { draw: drawTwoDigits, share: 0.12 },
  { draw: (target, random) => drawGarment(target, random), share: 0.18 },
  { draw: (target, random) => drawTexture(target, random), share: 0.05 },
  { draw: (target, random) => drawNoise(target, random), share: 0.07 },
];

const nonDigits: readonly Kind[] = [{ draw: drawGlyph, share: 0.42 }, ...unlabelled];

/**
 * Draws one that shows none of the labels into `target` [784]; `examples` are what two signs and crossed-out ones are made
 * of. Glyphs of fonts are among them for digits only: other labels may well be such glyphs.
 */
export function outliersFor(labels: readonly string[]): DrawOutlier {
  const kinds = areDigits(labels) ? nonDigits : unlabelled;
  const total = kinds.reduce((sum, { share }) => sum + share, 0);
  return (target, random, examples) => {
    target.fill(0);
    let left = between(random, 0, total);
    const chosen = kinds.find(({ share }) => (left -= share) < 0) ?? kinds[0]!;
    chosen.draw(target, random, examples);
  };
}

function drawGlyph(target: Uint8Array, random: Random): void {
  drawFitted(distortStrokes(oneOf(random, glyphs), random), between(random, 1.2, 4.2), target);
}

function drawCrossedOut(target: Uint8Array, random: Random, examples: Split): void {
  target.set(imageAt(examples, uniformInt(random, 0, examples.count - 1)));
  crossOut(target, random);
}
