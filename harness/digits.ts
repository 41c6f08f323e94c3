/** MNIST digits as people would send them: inverted, drawn large, off-centre, transparent, as JPEG. */

import { uniformInt } from 'pure-rand/distribution/uniformInt';
import sharp, { type Sharp } from 'sharp';
import { randomFor } from '../src/lib/random.ts';
import { imageAt, imageSide, imageSize, type Split } from '../src/model/data/dataset.ts';

export type Picture = { readonly body: Buffer; readonly type: 'image/png' | 'image/jpeg' };
type Variant = (pixels: Uint8Array, index: number) => Promise<Picture>;

const canvasSide = 280; // pixels

export const variants = {
  plain: async (pixels) => png(raw(pixels)),
  inverted: async (pixels) => png(raw(pixels.map((grey) => 255 - grey))),
  canvas: async (pixels) => png(raw(pixels).resize(canvasSide, canvasSide, { kernel: 'cubic' })),
  offCentre: async (pixels, index) => {
    const random = randomFor(index, 'off-centre');
    const side = uniformInt(random, 84, 200);
    const [left, top] = [uniformInt(random, 0, canvasSide - side), uniformInt(random, 0, canvasSide - side)];
    const digit = raw(pixels).resize(side, side, { kernel: 'cubic' });
    const [right, bottom] = [canvasSide - side - left, canvasSide - side - top];
    return png(digit.extend({ left, top, right, bottom, background: 'black' }));
  },
  transparent: async (pixels) => {
    const black = Buffer.alloc(4 * imageSize); // black ink whose alpha is the ink
    for (const [i, grey] of pixels.entries()) black[4 * i + 3] = grey;
    const picture = sharp(black, { raw: { width: imageSide, height: imageSide, channels: 4 } });
    return png(picture.resize(canvasSide, canvasSide, { kernel: 'cubic' }));
  },
  jpeg: async (pixels) => {
    const picture = raw(pixels.map((grey) => 255 - grey)).resize(canvasSide, canvasSide, { kernel: 'cubic' });
    return { body: await picture.jpeg({ quality: 75 }).toBuffer(), type: 'image/jpeg' };
  },
} satisfies Record<string, Variant>;

export type VariantName = keyof typeof variants;
export const variantNames = Object.keys(variants) as VariantName[];

/** The share of `count` digits of `split` that the service at `address` reads right, 16 requests at a time. */
export async function measureAccuracy(
  address: string,
  split: Split,
  variant: VariantName,
  count: number,
): Promise<number> {
  let next = 0;
  let right = 0;
  const send = async () => {
    while (next < count) {
      const index = next++;
      const { body, type } = await variants[variant](imageAt(split, index), index);
      const response = await fetch(`${address}/predict`, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
      });
      const answer = (await response.json()) as { digit?: number };
      if (response.status !== 200) throw new Error(`digit ${index}, ${variant}: ${JSON.stringify(answer)}`);
      if (answer.digit === split.labels[index]) right++;
    }
  };
  await Promise.all(Array.from({ length: 16 }, send));
  return right / count;
}

function raw(pixels: Uint8Array): Sharp {
  return sharp(pixels, { raw: { width: imageSide, height: imageSide, channels: 1 } });
}

async function png(picture: Sharp): Promise<Picture> {
  return { body: await picture.png().toBuffer(), type: 'image/png' };
}
