/** Pen strokes: distorts them as another hand would, fits them into 28×28 as MNIST was made, and draws them. */

import { between, type Random } from '../../../lib/random.ts';
import { centre } from '../../image/centre.ts';
import { imageSide } from '../dataset.ts';

export type Point = readonly [x: number, y: number];
/** A line through these points, drawn without lifting the pen. */
export type Stroke = readonly Point[];

const fitSide = 20; // pixels, the longer side of MNIST's ink
const turn = (18 * Math.PI) / 180; // radians, in either direction
const slant = 0.35; // columns per row, likewise
const wave = 0.08; // of the height: how far strokes are bent

/** Turns, slants, stretches and bends strokes a little; the unit stays theirs. */
export function distortStrokes(strokes: readonly Stroke[], random: Random): Stroke[] {
  const angle = between(random, -turn, turn);
  const [across, down] = [between(random, 0.75, 1.3), between(random, 0.75, 1.3)];
  const slanted = between(random, -slant, slant);
  const height = extentOf(strokes).longest;
  const [bendX, bendY] = [between(random, 0, wave) * height, between(random, 0, wave) * height];
  const [phaseX, phaseY] = [between(random, 0, 6.28), between(random, 0, 6.28)];
  const frequency = between(random, 2, 6) / height;
  const move = ([x, y]: Point): Point => {
    const [bentX, bentY] = [
      x + bendX * Math.sin(frequency * y + phaseX),
      y + bendY * Math.sin(frequency * x + phaseY),
    ];
    const [wide, high] = [across * bentX + slanted * bentY, down * bentY];
    return [wide * Math.cos(angle) - high * Math.sin(angle), wide * Math.sin(angle) + high * Math.cos(angle)];
  };
  return strokes.map((stroke) => roundCorners(roundCorners(stroke)).map(move));
}

/** Draws strokes in white on black, `width` pixels wide, their longer side fitted into 20 pixels, centred. */
export function drawFitted(strokes: readonly Stroke[], width: number, target: Uint8Array): void {
  const { x0, y0, x1, y1, longest } = extentOf(strokes);
  const scale = (fitSide - width) / Math.max(longest, 1e-6);
  const middle = (imageSide - 1) / 2;
  const place = ([x, y]: Point): Point => [
    (x - (x0 + x1) / 2) * scale + middle,
    (y - (y0 + y1) / 2) * scale + middle,
  ];
  draw(
    strokes.map((stroke) => stroke.map(place)),
    width,
    target,
  );
  centreByMass(target);
}

/** Draws strokes over what `target` [784] holds; coordinates are pixel indices. */
export function draw(strokes: readonly Stroke[], width: number, target: Uint8Array): void {
  for (const stroke of strokes)
    for (let i = 0; i < stroke.length; i++)
      drawLine(stroke[Math.max(0, i - 1)]!, stroke[i]!, width / 2, target);
}

/** Shifts the ink so that its centre of mass comes to the middle, as far as none leaves the image. */
export function centreByMass(target: Uint8Array): void {
  target.set(centre({ pixels: target, width: imageSide, height: imageSide }));
}

/** Full ink up to the line's edge, then fading over one pixel. */
function drawLine([ax, ay]: Point, [bx, by]: Point, radius: number, target: Uint8Array): void {
  const reach = radius + 1;
  const [dx, dy] = [bx - ax, by - ay];
  const squared = dx * dx + dy * dy;
  const top = Math.max(0, Math.ceil(Math.min(ay, by) - reach));
  const bottom = Math.min(imageSide - 1, Math.floor(Math.max(ay, by) + reach));
  const left = Math.max(0, Math.ceil(Math.min(ax, bx) - reach));
  const right = Math.min(imageSide - 1, Math.floor(Math.max(ax, bx) + reach));
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const along = squared === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / squared));
      const distance = Math.hypot(x - ax - along * dx, y - ay - along * dy);
      const ink = Math.round(255 * Math.min(1, Math.max(0, radius + 0.5 - distance)));
      const i = y * imageSide + x;
      if (ink > target[i]!) target[i] = ink;
    }
  }
}

function extentOf(strokes: readonly Stroke[]) {
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const stroke of strokes)
    for (const [x, y] of stroke)
      [x0, x1, y0, y1] = [Math.min(x0, x), Math.max(x1, x), Math.min(y0, y), Math.max(y1, y)];
  return { x0, x1, y0, y1, longest: Math.max(x1 - x0, y1 - y0) };
}

/** Replaces each corner by two points beside it (Chaikin, 1974); the ends stay. */
function roundCorners(stroke: Stroke): Stroke {
  if (stroke.length < 3) return stroke;
  const rounded: Point[] = [stroke[0]!];
  for (let i = 0; i + 1 < stroke.length; i++) {
    const [[ax, ay], [bx, by]] = [stroke[i]!, stroke[i + 1]!];
    rounded.push(
      [0.75 * ax + 0.25 * bx, 0.75 * ay + 0.25 * by],
      [0.25 * ax + 0.75 * bx, 0.25 * ay + 0.75 * by],
    );
  }
  return [...rounded, stroke.at(-1)!];
}
