/** Pictures that are as MNIST made them already. */
import { imageSide } from '../data/dataset.ts';
import { shiftToCentre } from './centre.ts';
import { extentOf } from './extent.ts';
import { fitSide, fullInk } from './fit.ts';
import type { Greys } from './greys.ts';

/** True of all 70,000 MNIST images: full ink, a box of 19 or 20 pixels, its mass at the centre. */
export function hasMnistForm(pixels: Uint8Array): boolean {
  const { box, longest, strongest, x, y } = extentOf(pixels, imageSide);
  return (
    strongest >= fullInk &&
    (longest === fitSide || longest === fitSide - 1) &&
    isCentred(x, box.x0, box.x1) &&
    isCentred(y, box.y0, box.y1)
  );
}

/** The pixels of an image in MNIST's form, or of one whose inverse is; else null. */
export function inMnistForm({ values, width, height }: Greys): Uint8Array | null {
  if (width !== imageSide || height !== imageSide) return null;
  if (hasMnistForm(values)) return values.slice();
  const inverse = values.map((value) => 255 - value);
  return hasMnistForm(inverse) ? inverse : null;
}

/** MNIST's masses lie in 13.4801 ≤ c < 14.5, a little beyond: it was centred before its greys were rounded. */
function isCentred(mass: number, first: number, last: number): boolean {
  return (mass >= 13.48 && mass <= 14.5) || shiftToCentre(mass, first, last) === 0;
}
