/** 12-megapixel photos of a digit on a desk, in each format: seeded, with the noise and the shading of a camera. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import sharp, { type Sharp } from 'sharp';
import { randomFor } from '../../src/lib/random.ts';
import { imageAt, imageSide, type Split } from '../../src/model/data/dataset.ts';

const width = 4000;
const height = 3000;
const noise = 12; // levels
const digitSide = 900; // pixels

/** Name → how it is made of the photo. All but those of `heldToBar` are for comparison. */
export const kinds = {
  'JPEG, sRGB': (photo) => photo.jpeg({ quality: 88 }),
  'JPEG, Display P3': (photo) => photo.withIccProfile('p3').jpeg({ quality: 88 }),
  'JPEG, turned by EXIF': (photo) => photo.withMetadata({ orientation: 6 }).jpeg({ quality: 88 }),
  'JPEG, progressive': (photo) => photo.jpeg({ quality: 88, progressive: true }),
  'JPEG, CMYK': (photo) => photo.toColourspace('cmyk').jpeg({ quality: 88 }),
  WebP: (photo) => photo.webp({ quality: 80, effort: 1 }),
  'WebP, lossless': (photo) => photo.blur(2).webp({ lossless: true, effort: 0 }),
  PNG: (photo) => photo.png({ compressionLevel: 3 }),
  'PNG, interlaced': (photo) => photo.png({ compressionLevel: 3, progressive: true }),
  GIF: (photo) => photo.gif({ effort: 1, dither: 0 }),
  'TIFF, LZW': (photo) => photo.tiff({ compression: 'lzw' }),
  'TIFF, fax': (photo) =>
    photo.toColourspace('b-w').threshold(110).tiff({ compression: 'ccittfax4', bitdepth: 1 }),
  'AVIF of 3 megapixels': (photo) => photo.resize(width / 2).avif({ quality: 50, effort: 0 }),
} satisfies Record<string, (photo: Sharp) => Sharp>;

export type Kind = keyof typeof kinds;

/** What phones make. */
export const heldToBar: readonly Kind[] = ['JPEG, sRGB', 'JPEG, Display P3', 'JPEG, turned by EXIF', 'WebP'];

/** sRGB, [height × width × 3]. */
export async function takePhoto(split: Split, seed: number): Promise<Sharp> {
  const random = randomFor(seed, 'photo');
  const values = Buffer.alloc(3 * width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const level = 190 + 30 * Math.sin(x / 900) + 20 * Math.cos(y / 700);
      const grain = (uniformFloat64(random) - 0.5) * noise;
      for (const tint of [0, -5, -20]) values[i++] = level + tint + grain;
    }
  }
  const ink = await sharp(imageAt(split, seed), { raw: { width: imageSide, height: imageSide, channels: 1 } })
    .resize(digitSide, digitSide, { kernel: 'cubic' })
    .toColourspace('b-w')
    .raw()
    .toBuffer();
  const [left, top] = [1400, 900];
  for (let y = 0; y < digitSide; y++) {
    for (let x = 0; x < digitSide; x++) {
      const at = 3 * ((top + y) * width + left + x);
      const share = ink[y * digitSide + x]! / 255;
      for (let c = at; c < at + 3; c++) values[c] = values[c]! * (1 - 0.75 * share);
    }
  }
  return sharp(values, { raw: { width, height, channels: 3 } });
}
