/** What the serving bench sends: the first 1,000 MNIST test images as PNGs, plain and as a browser's canvas exports them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { readSplit } from '../../src/model/data/built-in.ts';
import { imageAt, imageSide } from '../../src/model/data/dataset.ts';

export const pictureCount = 1000;
export const canvasSide = 280; // pixels

export type Pictures = { readonly small: string; readonly canvas: string; readonly labels: Uint8Array };

/** Writes both sets; files are named so that they sort in the order of the labels. */
export async function writePictures(directory: string): Promise<Pictures> {
  const test = await readSplit('mnist', 'test');
  const [small, canvas] = [join(directory, 'small'), join(directory, 'canvas')];
  await Promise.all([mkdir(small), mkdir(canvas)]);
  const raw = { width: imageSide, height: imageSide, channels: 1 } as const;
  for (let index = 0; index < pictureCount; index++) {
    const digit = () => sharp(imageAt(test, index), { raw });
    const name = `${String(index).padStart(4, '0')}.png`;
    await writeFile(join(small, name), await digit().toColourspace('b-w').png().toBuffer());
    const enlarged = digit().resize(canvasSide, canvasSide, { kernel: 'cubic' }).toColourspace('srgb');
    await writeFile(join(canvas, name), await enlarged.png().toBuffer());
  }
  return { small, canvas, labels: Uint8Array.from(test.labels.subarray(0, pictureCount)) };
}
