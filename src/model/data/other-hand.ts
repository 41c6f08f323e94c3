/**
 * Made digits in place of MNIST's: as other writers write them (writing-styles.ts), thick or thin, and in part coarser, as if
 * they had been small before they were enlarged. Digits without such a style stay as they are.
 */
import { between, type Random } from '../../lib/random.ts';
import { imageSide } from './dataset.ts';
import { distortStrokes, drawFitted } from './outliers/strokes.ts';
import { strokesOf } from './writing-styles.ts';

const slant = 0.3; // columns per row, in either direction
const middle = (imageSide - 1) / 2;

/** Writes the redrawn `image` [784] of a digit to `target` [784]. */
export function redraw(image: Uint8Array, digit: number, target: Uint8Array, random: Random): void {
  const strokes = strokesOf(digit, random);
  if (!strokes) return void target.set(image);
  const drawn = new Uint8Array(image.length);
  drawFitted(distortStrokes(strokes, random), between(random, 1.5, 5.5), drawn);
  if (between(random, 0, 1) < 0.5) target.set(drawn);
  else coarsen(drawn, target, random);
}

function coarsen(image: Uint8Array, target: Uint8Array, random: Random): void {
  const [across, down] = [between(random, 0.75, 1.15), between(random, 0.9, 1.1)];
  const slanted = between(random, -slant, slant);
  const cell = between(random, 1, 3.2); // pixels a side, of the coarse image
  const side = Math.round(imageSide / cell);
  const coarse = new Float32Array(side * side);
  const step = imageSide / side;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      let sum = 0;
      for (const [dx, dy] of samples) {
        const y = (row + dy) * step - 0.5 - middle;
        const x = (column + dx) * step - 0.5 - middle;
        sum += greyAt(image, x / across + slanted * y + middle, y / down + middle);
      }
      coarse[row * side + column] = sum / samples.length;
    }
  }
  const gain = between(random, 0.8, 2.2); // more than 1: thicker
  enlarge(coarse, side, target, gain);
}

/** Where a coarse pixel is sampled, in its own sides. */
const places = [1 / 6, 1 / 2, 5 / 6];
const samples = places.flatMap((dx) => places.map((dy) => [dx, dy] as const));

/** Bilinear, then brought to full ink. */
function enlarge(coarse: Float32Array, side: number, target: Uint8Array, gain: number): void {
  let strongest = 1;
  const values = new Float32Array(imageSide * imageSide);
  const clamp = (index: number) => Math.min(side - 1, Math.max(0, index));
  for (let i = 0; i < values.length; i++) {
    const x = (((i % imageSide) + 0.5) * side) / imageSide - 0.5;
    const y = ((Math.floor(i / imageSide) + 0.5) * side) / imageSide - 0.5;
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [dx, dy] = [x - left, y - top];
    const at = (column: number, row: number) => coarse[clamp(row) * side + clamp(column)]!;
    const above = at(left, top) * (1 - dx) + at(left + 1, top) * dx;
    const below = at(left, top + 1) * (1 - dx) + at(left + 1, top + 1) * dx;
    values[i] = above * (1 - dy) + below * dy;
    strongest = Math.max(strongest, values[i]!);
  }
  for (let i = 0; i < values.length; i++)
    target[i] = Math.round(255 * Math.min(1, (gain * values[i]!) / strongest));
}

/** The nearest pixel's value; black outside. */
function greyAt(image: Uint8Array, x: number, y: number): number {
  const [column, row] = [Math.round(x), Math.round(y)];
  if (column < 0 || row < 0 || column >= imageSide || row >= imageSide) return 0;
  return image[row * imageSide + column]!;
}
