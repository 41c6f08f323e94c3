/**
 * Greys of any size → 28×28 as MNIST was made: white ink on black, the ink box fitted into 20×20 with
 * its aspect kept and greys from area averages, the centre of mass at the centre.
 * Source: Y. LeCun, C. Cortes, C. Burges, http://yann.lecun.com/exdb/mnist
 */
import { imageSide, imageSize } from '../data/dataset.ts';
import { type Extent, extentOf } from './extent.ts';
import { fit, fitSide, fullInk, type Patch } from './fit.ts';
import { crop, withoutFrame } from './frame.ts';
import type { Greys } from './greys.ts';
import { type Box, findInk, type Ink, inkBox } from './ink.ts';
import { evenOut } from './lighting.ts';
import { findAmongSpecks, findSmallShape } from './small-shape.ts';

/**
 * The digit in 28×28, 784 bytes, or null where no ink stands out from the background. An image that
 * already has MNIST's form comes back byte for byte, its inverse inverted; so applied twice it changes nothing.
 */
export function normalise(image: Greys): Uint8Array | null {
  const asItIs = inMnistForm(image);
  if (asItIs) return asItIs;
  return read(withoutFrame(image));
}

const pagePixels = 80_000; // from here on a digit may be small beside specks

function read(image: Greys): Uint8Array | null {
  const { greys, border, block } = evenOut(image);
  const ink = findInk(greys, border);
  if (!ink) return readPart(image, findSmallShape(image));
  const isPage = image.width * image.height >= pagePixels;
  const small = smallBox(greys, ink, block) ?? (isPage ? findAmongSpecks(image) : null);
  return (small && readPart(image, small)) ?? centre(fit(greys, ink));
}

/** Where light was evened out by averaging, a digit may be left with too few pixels: its box in the image itself. */
function smallBox(greys: Greys, ink: Ink, block: number): Box | null {
  if (block === 1) return null;
  const { x0, y0, x1, y1 } = inkBox(greys, ink);
  if (Math.max(x1 - x0, y1 - y0) + 1 >= imageSide) return null;
  return { x0: x0 * block, y0: y0 * block, x1: (x1 + 1) * block - 1, y1: (y1 + 1) * block - 1 };
}

/** Reads one part with some paper around it; null where that is most of the image, or nothing. */
function readPart(image: Greys, box: Box | null): Uint8Array | null {
  if (!box) return null;
  const { width, height } = image;
  const margin = Math.max(box.x1 - box.x0, box.y1 - box.y0) + 1;
  const [x0, y0] = [Math.max(0, box.x0 - margin), Math.max(0, box.y0 - margin)];
  const [x1, y1] = [Math.min(width, box.x1 + 1 + margin), Math.min(height, box.y1 + 1 + margin)];
  if ((x1 - x0) * (y1 - y0) > (width * height) / 2) return null;
  return read(crop(image, x0, y0, x1, y1));
}

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

function inMnistForm({ values, width, height }: Greys): Uint8Array | null {
  if (width !== imageSide || height !== imageSide) return null;
  if (hasMnistForm(values)) return values.slice();
  const inverse = values.map((value) => 255 - value);
  return hasMnistForm(inverse) ? inverse : null;
}

/** Puts a patch on 28×28 black, its centre of mass at the centre. */
function centre({ pixels, width }: Patch): Uint8Array {
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
function shiftToCentre(mass: number, first: number, last: number): number {
  return Math.min(Math.max(Math.ceil(13.5 - mass), -first), imageSide - 1 - last);
}

/** MNIST's masses lie in 13.4801 ≤ c < 14.5, a little beyond: it was centred before its greys were rounded. */
function isCentred(mass: number, first: number, last: number): boolean {
  return (mass >= 13.48 && mass <= 14.5) || shiftToCentre(mass, first, last) === 0;
}
