/**
 * Augmentation: rotates, scales, slants and shifts each digit a little, as another hand might have written it
 * (LeCun et al., 1998, section III.B, extended MNIST by such distortions).
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { Random } from '../../lib/random.ts';
import { imageSide, imageSize } from './dataset.ts';

/** The limits in either direction; values are uniform between them. */
const rotation = (12 * Math.PI) / 180; // radians
const scaling = 0.1; // share; drawn separately for width and height
const slant = 0.1; // columns per row
const shift = 2; // pixels, horizontally and vertically

const centre = (imageSide - 1) / 2;

/** Maps a target pixel to its source: x' = xx·x + xy·y + x0, y' = yx·x + yy·y + y0, in pixel indices. */
type Affine = Readonly<Record<'xx' | 'xy' | 'x0' | 'yx' | 'yy' | 'y0', number>>;

/** What lies around an image: ink has black paper, a picture goes on as its edge is. */
export type Surroundings = 'black' | 'edge';

/** Writes a random distortion of `image` [784] to `target` [784]. */
export function distort(
  image: Uint8Array,
  target: Uint8Array,
  random: Random,
  surroundings: Surroundings = 'black',
): void {
  resample(image, target, drawAffine(random), surroundings === 'black' ? greyOrBlack : greyOrEdge);
}

function drawAffine(random: Random): Affine {
  const draw = (most: number) => (2 * uniformFloat64(random) - 1) * most;
  const angle = draw(rotation);
  const [across, down] = [1 + draw(scaling), 1 + draw(scaling)];
  const [xx, xy] = [Math.cos(angle) / across, -Math.sin(angle) / across + draw(slant)];
  const [yx, yy] = [Math.sin(angle) / down, Math.cos(angle) / down];
  const x0 = centre - (xx + xy) * centre + draw(shift);
  const y0 = centre - (yx + yy) * centre + draw(shift);
  return { xx, xy, x0, yx, yy, y0 };
}

/** Interpolates bilinearly. */
function resample(
  image: Uint8Array,
  target: Uint8Array,
  { xx, xy, x0, yx, yy, y0 }: Affine,
  greyAt: typeof greyOrBlack,
): void {
  for (let i = 0; i < imageSize; i++) {
    const column = i % imageSide;
    const row = (i - column) / imageSide;
    const x = xx * column + xy * row + x0;
    const y = yx * column + yy * row + y0;
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [dx, dy] = [x - left, y - top]; // 0 … 1
    const above = greyAt(image, left, top) * (1 - dx) + greyAt(image, left + 1, top) * dx;
    const below = greyAt(image, left, top + 1) * (1 - dx) + greyAt(image, left + 1, top + 1) * dx;
    target[i] = Math.round(above * (1 - dy) + below * dy);
  }
}

function greyOrBlack(image: Uint8Array, x: number, y: number): number {
  return x < 0 || y < 0 || x >= imageSide || y >= imageSide ? 0 : image[y * imageSide + x]!;
}

function greyOrEdge(image: Uint8Array, x: number, y: number): number {
  const clamp = (place: number) => Math.min(imageSide - 1, Math.max(0, place));
  return image[clamp(y) * imageSide + clamp(x)]!;
}
