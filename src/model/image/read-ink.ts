/** All ink of a picture, fitted and centred; nothing is taken away but uneven light and noise. */
import { imageSide } from '../data/dataset.ts';
import type { Box } from './box.ts';
import { centre } from './centre.ts';
import { fit } from './fit.ts';
import { crop } from './frame.ts';
import type { Greys } from './greys.ts';
import { findInk, type Ink, inkBox } from './ink.ts';
import { evenOut } from './lighting.ts';
import { findAmongSpecks, findSmallShape } from './small-shape.ts';
import { type Survey, survey } from './survey.ts';

const pagePixels = 80_000; // from here on a digit may be small beside specks

/** The ink in 28×28, 784 bytes, or null where none stands out from the background. */
export function readInk(picture: Survey): Uint8Array | null {
  const image = picture.greys;
  const { even, block } = evenOut(picture);
  const { greys } = even;
  const ink = findInk(even);
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
  return readInk(survey(crop(image, x0, y0, x1, y1)));
}
