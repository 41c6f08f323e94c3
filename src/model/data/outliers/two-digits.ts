/** Two digits side by side, apart or touching, in place of one. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { between, type Random } from '../../../lib/random.ts';
import { imageAt, imageSide, type Split } from '../dataset.ts';
import { centreByMass } from './strokes.ts';

const fitSide = 20; // pixels; both together are as wide as that

/** Draws two digits into `target` [784], each narrowed to about half. */
export function drawTwoDigits(target: Uint8Array, random: Random, digits: Split): void {
  const overlap = between(random, -2, 3); // pixels; negative: a gap
  const height = between(random, 11, fitSide);
  const share = between(random, 0.4, 0.6); // of the width, for the first
  const width = fitSide + overlap;
  place(target, imageAt(digits, uniformInt(random, 0, digits.count - 1)), 4, share * width, height);
  const second = imageAt(digits, uniformInt(random, 0, digits.count - 1));
  place(target, second, 4 + share * width - overlap, (1 - share) * width, height);
  centreByMass(target);
}

/** Draws the ink of `image` into the columns from `left` on, `width` × `height` pixels, by area averages. */
function place(target: Uint8Array, image: Uint8Array, left: number, width: number, height: number): void {
  const { x0, x1 } = columnsOf(image);
  const widest = (1.2 * (x1 - x0 + 1) * height) / fitSide; // lest a 1 become a block
  const stepX = (x1 - x0 + 1) / Math.min(width, widest);
  const stepY = fitSide / height;
  const top = (imageSide - height) / 2;
  for (let y = Math.ceil(top); y < top + height; y++) {
    for (let x = Math.ceil(left); x < left + Math.min(width, widest) && x < imageSide; x++) {
      const ink = average(image, x0 + (x - left) * stepX, 4 + (y - top) * stepY, stepX, stepY);
      const i = y * imageSide + x;
      if (ink > target[i]!) target[i] = ink;
    }
  }
}

/** The mean of the pixels from (x, y) on, `width` × `height`, each taken whole. */
function average(image: Uint8Array, x: number, y: number, width: number, height: number): number {
  let [sum, count] = [0, 0];
  for (let row = Math.floor(y); row < Math.max(Math.floor(y) + 1, y + height); row++) {
    for (let column = Math.floor(x); column < Math.max(Math.floor(x) + 1, x + width); column++) {
      if (row >= imageSide || column >= imageSide) continue;
      sum += image[row * imageSide + column]!;
      count++;
    }
  }
  return count === 0 ? 0 : Math.min(255, Math.round((1.2 * sum) / count));
}

function columnsOf(image: Uint8Array): { x0: number; x1: number } {
  let [x0, x1] = [imageSide, -1];
  for (let i = 0; i < image.length; i++) {
    if (image[i] === 0) continue;
    const x = i % imageSide;
    [x0, x1] = [Math.min(x0, x), Math.max(x1, x)];
  }
  return { x0, x1 };
}
