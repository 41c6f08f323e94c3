/** The centre of mass at the centre, as in MNIST. */
import { imageSide, imageSize } from '../data/dataset.ts';
import { type Extent, extentOf } from './extent.ts';
import type { Patch } from './fit.ts';

/** Puts a patch on 28×28 black, its centre of mass at the centre. */
export function centre({ pixels, width }: Patch): Uint8Array {
  const { box, x, y }: Extent = extentOf(pixels, width);
  const dx = shiftToCentre(x, box.x0, box.x1);
  const dy = shiftToCentre(y, box.y0, box.y1);
  const centred = new Uint8Array(imageSize);
  for (let row = box.y0; row <= box.y1; row++) {
    const ink = pixels.subarray(row * width + box.x0, row * width + box.x1 + 1);
    centred.set(ink, (row + dy) * imageSide + box.x0 + dx);
  }
  return centred;
}

/** Whole pixels that bring the mass into 13.5 ≤ c < 14.5, as in MNIST, as far as no ink leaves the frame. */
export function shiftToCentre(mass: number, first: number, last: number): number {
  return Math.min(Math.max(Math.ceil(13.5 - mass), -first), imageSide - 1 - last);
}
