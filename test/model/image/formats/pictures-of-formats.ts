/** A digit as files of all formats, black on white or as transparency. */
import sharp, { type Sharp } from 'sharp';
import { readSplit } from '../../../../src/model/data/built-in.ts';
import { imageAt, imageSide } from '../../../../src/model/data/dataset.ts';

export const digit = imageAt(await readSplit('mnist', 'test'), 0);
export const side = 280;

/** Black on white. */
export function drawn(width = side, height = side): Sharp {
  return sharp(digit, { raw: { width: imageSide, height: imageSide, channels: 1 } })
    .resize(width, height, { kernel: 'cubic', fit: 'fill' })
    .negate();
}

/** Black, and transparent where there is no ink. */
export function transparent(): Sharp {
  const values = new Uint8Array(4 * digit.length);
  for (const [i, level] of digit.entries()) values[4 * i + 3] = level;
  return sharp(values, { raw: { width: imageSide, height: imageSide, channels: 4 } }).resize(side, side);
}

/** The digit, and after it a white page. */
export async function twoFrames(): Promise<Sharp> {
  const page = sharp({ create: { width: side, height: side, channels: 3, background: 'white' } });
  const frames = [await drawn().toColourspace('srgb').png().toBuffer(), await page.png().toBuffer()];
  return sharp(frames, { join: { animated: true } });
}

type Make = () => Sharp | Promise<Sharp>;
const rgb = () => drawn().toColourspace('srgb');
const fax = () => drawn().toColourspace('b-w').threshold(128);

/** Name, how far from the digit it may be read (levels, mean), and the picture. */
export const files: readonly (readonly [name: string, levels: number, make: Make])[] = [
  ['a lossy WebP', 1, () => rgb().webp()],
  ['a lossless WebP', 0.1, () => rgb().webp({ lossless: true })],
  ['a WebP with a profile', 1, () => rgb().withIccProfile('p3').webp()],
  ['a transparent WebP', 1, () => transparent().webp()],
  ['an animated WebP', 1, async () => (await twoFrames()).webp()],
  ['an AVIF', 1, () => rgb().avif({ effort: 0 })],
  ['a lossless AVIF', 0.1, () => rgb().avif({ effort: 0, lossless: true })],
  ['an AVIF of 10 bits', 1, () => rgb().avif({ effort: 0, bitdepth: 10 })],
  ['a transparent AVIF', 1, () => transparent().avif({ effort: 0 })],
  ['a GIF', 1, () => rgb().gif()],
  ['an interlaced GIF', 1, () => rgb().gif({ progressive: true })],
  ['a transparent GIF', 15, () => transparent().gif()], // transparent or not, nothing between
  ['an animated GIF', 1, async () => (await twoFrames()).gif()],
  ['a TIFF, uncompressed', 0.1, () => rgb().tiff({ compression: 'none' })],
  ['a TIFF, LZW', 0.1, () => rgb().tiff({ compression: 'lzw' })],
  ['a TIFF, Deflate', 0.1, () => rgb().tiff({ compression: 'deflate', predictor: 'horizontal' })],
  ['a TIFF, PackBits', 0.1, () => rgb().tiff({ compression: 'packbits' })],
  ['a TIFF, JPEG', 1, () => rgb().tiff({ compression: 'jpeg' })],
  [
    'a TIFF of tiles',
    0.1,
    () => rgb().tiff({ compression: 'lzw', tile: true, tileWidth: 64, tileHeight: 64 }),
  ],
  ['a TIFF of several pages', 0.1, async () => (await twoFrames()).tiff({ compression: 'lzw' })],
  ['a TIFF of a fax', 15, () => fax().tiff({ compression: 'ccittfax4', bitdepth: 1 })], // black or white
  [
    'a TIFF of a fax, 0 white',
    15,
    () => fax().tiff({ compression: 'ccittfax4', bitdepth: 1, miniswhite: true }),
  ],
  ['a TIFF of 16 bits', 0.1, () => drawn().toColourspace('rgb16').tiff({ compression: 'lzw' })],
  ['a TIFF of 16 bits of grey', 0.1, () => drawn().toColourspace('grey16').tiff({ compression: 'lzw' })],
  ['a CMYK TIFF', 5, () => drawn().toColourspace('cmyk').tiff({ compression: 'lzw' })],
  ['a transparent TIFF', 0.1, () => transparent().tiff({ compression: 'lzw' })],
  ['a CMYK JPEG', 5, () => drawn().toColourspace('cmyk').jpeg()],
  ['a Display P3 JPEG', 1, () => rgb().withIccProfile('p3').jpeg()],
  ['a PNG of 16 bits', 0.1, () => drawn().toColourspace('rgb16').png()],
  ['a PNG of a palette with transparency', 1, () => transparent().png({ palette: true })],
  ['a PNG of grey with transparency', 0.1, () => transparent().toColourspace('b-w').png()],
];
