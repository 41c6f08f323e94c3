/** Pictures of things → 28×28 grey: the whole picture, its aspect kept. Nothing in it is taken for ink, paper or a frame. */
import { messageOf } from '../../lib/errors.ts';
import { imageSide, imageSize } from '../data/dataset.ts';
import { borderOf } from './border.ts';
import { wholeBox } from './box.ts';
import { decode } from './decode.ts';
import type { Greys } from './greys.ts';
import { type ImageProblem, notRead } from './problem.ts';
import { enlarge, plainInk, shrink } from './resample.ts';
import { wholeRows } from './runs.ts';
import type { Samples } from './samples.ts';

export type WholePicture = { readonly ok: true; readonly pixels: Uint8Array } | ImageProblem;

/** Reads one picture as `readGreys` does. What is wrong with the bytes is in the result; nothing is thrown for it. */
export async function readWholePicture(bytes: Uint8Array): Promise<WholePicture> {
  const decoded = await decode(bytes);
  if (!decoded.ok) return decoded;
  try {
    return { ok: true, pixels: fitWhole(greysOnWhite(decoded.samples)) };
  } catch (error) {
    return notRead(decoded.samples, messageOf(error));
  }
}

/** Luminance by ITU-R BT.601; what is transparent shows white. */
export function greysOnWhite({ values, width, height, channels }: Samples): Greys {
  if (channels === 1) return { values, width, height };
  const greys = new Uint8Array(width * height);
  for (let i = 0, j = 0; i < greys.length; i++, j += channels) {
    const grey = (77 * values[j]! + 150 * values[j + 1]! + 29 * values[j + 2]!) >> 8; // the weights sum to 256
    const alpha = channels === 4 ? values[j + 3]! : 255;
    greys[i] = alpha === 255 ? grey : Math.round((grey * alpha + 255 * (255 - alpha)) / 255);
  }
  return { values: greys, width, height };
}

/** [784]: the picture in the middle, what is left on two sides in its border's grey. 28×28 pixels stay as they are. */
export function fitWhole(greys: Greys): Uint8Array {
  const { width, height } = greys;
  if (width === imageSide && height === imageSide) return greys.values.slice();
  const scale = imageSide / Math.max(width, height);
  const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side * scale))) as [
    number,
    number,
  ];
  const fitted =
    scale > 1
      ? enlarge(greys, plainInk, wholeBox(greys), across, down)
      : shrink(greys, { ...plainInk, runs: wholeRows(greys) }, wholeBox(greys), across, down);
  const pixels = new Uint8Array(imageSize).fill(borderOf(greys).level);
  const [left, top] = [(imageSide - across) >> 1, (imageSide - down) >> 1];
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++)
      pixels[(top + y) * imageSide + left + x] = Math.round(fitted[y * across + x]!);
  }
  return pixels;
}
