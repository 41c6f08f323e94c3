/** Ink and paper as ones and zeros. */
import { type Box, heightOf, widthOf } from './box.ts';

/** Pixels of ink (1) and paper (0), row-major. */
export type Mask = { readonly pixels: Uint8Array; readonly width: number; readonly height: number };

/** A picture of levels or labels. */
export type Values = { readonly values: Uint8Array | Int32Array; readonly width: number };

/** The part of a picture in `box`; `isInk`: 1 for each of its values that is ink. */
export function maskOf({ values, width: across }: Values, box: Box, isInk: Uint8Array): Mask {
  const [width, height] = [widthOf(box), heightOf(box)];
  const pixels = new Uint8Array(width * height);
  for (let y = 0, i = 0; y < height; y++) {
    const start = (box.y0 + y) * across + box.x0;
    for (let j = start; j < start + width; j++, i++) pixels[i] = isInk[values[j]!] ?? 0;
  }
  return { pixels, width, height };
}

/** [256]: 1 for each grey that is more ink than `above`, by a table of how much ink each is. */
export function levelsAbove(above: number, of: Uint8Array = everyLevel): Uint8Array {
  const isAbove = new Uint8Array(of.length);
  for (let grey = 0; grey < of.length; grey++) if (of[grey]! > above) isAbove[grey] = 1;
  return isAbove;
}

/** [256]: a grey that is its own amount of ink. */
export const everyLevel = Uint8Array.from({ length: 256 }, (_, level) => level);

/** 1 at each of the labels; a lookup for every pixel may not depend on how many there are. */
export function ownLabels(labels: readonly number[]): Uint8Array {
  const isOwn = new Uint8Array(1 + Math.max(0, ...labels));
  for (const label of labels) isOwn[label] = 1;
  return isOwn;
}

export function transposed({ pixels, width, height }: Mask): Mask {
  const target = new Uint8Array(pixels.length);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) target[x * height + y] = pixels[i]!;
  return { pixels: target, width: height, height: width };
}
