/** MNIST digits as people would send them: inverted, drawn large, off-centre, transparent, as JPEG. */
import { crc32, deflateSync } from 'node:zlib';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import sharp, { type Sharp } from 'sharp';
import { randomFor } from '../src/lib/random.ts';
import { imageAt, imageSide, imageSize, type Split } from '../src/model/data/dataset.ts';

export type Picture = { readonly body: Buffer; readonly type: 'image/png' | 'image/jpeg' };
type Variant = (pixels: Uint8Array, index: number) => Promise<Picture>;

const canvasSide = 280; // pixels

export const variants = {
  plain: async (pixels) => ({ body: greyPng(pixels), type: 'image/png' }),
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

const picturesOfForm = 16; // the most that the service takes
const formsAtOnce = 4;

/** The share of `count` digits of `split` that the service at `address` reads right. */
export async function measureAccuracy(
  address: string,
  split: Split,
  variant: VariantName,
  count: number,
): Promise<number> {
  let next = 0;
  let right = 0;
  const send = async () => {
    for (;;) {
      const indexes = Array.from({ length: Math.min(picturesOfForm, count - next) }, () => next++);
      if (indexes.length === 0) return;
      const pictures = await Promise.all(
        indexes.map((index) => variants[variant](imageAt(split, index), index)),
      );
      const digits = await readAll(address, pictures);
      right += indexes.filter((index, at) => digits[at] === split.labels[index]).length;
    }
  };
  await Promise.all(Array.from({ length: formsAtOnce }, send));
  return right / count;
}

/** The digits that the service reads in pictures of one form. */
async function readAll(address: string, pictures: readonly Picture[]): Promise<number[]> {
  const form = new FormData();
  for (const { body, type } of pictures) form.append('image', new Blob([new Uint8Array(body)], { type }));
  const response = await fetch(`${address}/predict`, { method: 'POST', body: form });
  const answer = (await response.json()) as { digit?: number; predictions?: { digit: number }[] };
  const predictions = answer.predictions ?? [answer]; // of one picture
  if (response.status !== 200) throw new Error(`${response.status}: ${JSON.stringify(answer)}`);
  return predictions.map(({ digit }) => digit!);
}

/** 28×28 in 8-bit grey, without filters. Written here, since sharp takes a millisecond for each. */
function greyPng(pixels: Uint8Array): Buffer {
  const header = Buffer.from([0, 0, 0, imageSide, 0, 0, 0, imageSide, 8, 0, 0, 0, 0]);
  const rows = Array.from({ length: imageSide }, (_, row) =>
    Buffer.concat([Buffer.of(0), pixels.subarray(row * imageSide, (row + 1) * imageSide)]),
  );
  const chunks = [
    ['IHDR', header],
    ['IDAT', deflateSync(Buffer.concat(rows))],
    ['IEND', Buffer.of()],
  ] as const;
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    ...chunks.map(([name, data]) => chunk(name, data)),
  ]);
}

function chunk(name: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, checksum]);
}

function raw(pixels: Uint8Array): Sharp {
  return sharp(pixels, { raw: { width: imageSide, height: imageSide, channels: 1 } });
}

async function png(picture: Sharp): Promise<Picture> {
  return { body: await picture.png({ compressionLevel: 1 }).toBuffer(), type: 'image/png' };
}
