/** Malformed and hostile pictures: of every accepted type, with bits flipped, ends cut off and headers that lie. */
import * as fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { imageAt } from '../../src/model/data/dataset.ts';
import { encodePng } from '../../src/model/image/encode-png.ts';
import { mnist } from '../model/data/mnist.ts';
import { whitePng } from '../model/image/picture-files.ts';

export const png = await encodePng(imageAt(mnist.test, 0), 28, 28);
const digit = () => sharp(png).resize(56);
const frames = () => sharp([png, png, png], { join: { animated: true } });
const bytesOf = (pictures: readonly Sharp[]) => Promise.all(pictures.map((picture) => picture.toBuffer()));

/** Format → whole files. */
export const originals = {
  PNG: [
    png,
    ...(await bytesOf([
      digit().png({ palette: true }),
      digit().png({ progressive: true }),
      digit().toColourspace('rgb16').png(),
    ])),
  ],
  JPEG: await bytesOf([
    digit().jpeg(),
    digit().jpeg({ progressive: true }),
    digit().toColourspace('cmyk').jpeg(),
  ]),
  WebP: await bytesOf([
    digit().webp(),
    digit().webp({ lossless: true }),
    digit().ensureAlpha(0.5).webp(),
    frames().webp(),
  ]),
  AVIF: await bytesOf([
    digit().avif({ effort: 0 }),
    digit().ensureAlpha(0.5).avif({ effort: 0, bitdepth: 10 }),
  ]),
  GIF: await bytesOf([digit().gif(), digit().gif({ progressive: true }), frames().gif()]),
  TIFF: await bytesOf([
    digit().tiff({ compression: 'none' }),
    digit().tiff({ compression: 'lzw' }),
    digit().tiff({ compression: 'jpeg' }),
    digit().tiff({ compression: 'deflate', tile: true, tileWidth: 16, tileHeight: 16 }),
    digit().toColourspace('b-w').threshold(128).tiff({ compression: 'ccittfax4', bitdepth: 1 }),
    frames().tiff({ compression: 'packbits' }),
  ]),
} as const;

/** Two- and four-byte values that headers lie with. */
const lies = [0, 1, 0x7f, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

type Change = (bytes: Buffer) => Buffer;

const at = fc.oneof(fc.nat(64), fc.nat(600), fc.nat(100_000)); // most of what matters lies near the beginning
const flip = fc.tuple(at, fc.nat(7)).map(
  ([place, bit]): Change =>
    (bytes) => {
      bytes[place % bytes.length]! ^= 1 << bit;
      return bytes;
    },
);
const lie = fc.tuple(at, fc.constantFrom(...lies), fc.constantFrom(1, 2, 4), fc.boolean()).map(
  ([place, value, size, isLittle]): Change =>
    (bytes) => {
      const from = place % Math.max(1, bytes.length - size);
      if (from + size > bytes.length) return bytes;
      const least = value % 256 ** size;
      if (isLittle) bytes.writeUIntLE(least, from, size);
      else bytes.writeUIntBE(least, from, size);
      return bytes;
    },
);
const cut = fc.nat(100_000).map(
  (length): Change =>
    (bytes) =>
      bytes.subarray(0, length % (bytes.length + 1)),
);
const doubled = fc.tuple(at, fc.nat(300)).map(
  ([place, length]): Change =>
    (bytes) => {
      const from = place % bytes.length;
      return Buffer.concat([bytes.subarray(0, from + length), bytes.subarray(from)]);
    },
);
const changes = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: flip },
    { weight: 4, arbitrary: lie },
    { weight: 1, arbitrary: cut },
    { weight: 1, arbitrary: doubled },
  ),
  { minLength: 1, maxLength: 5 },
);

/** Pictures of one format, each with a few changes. */
export function malformed(format: keyof typeof originals): fc.Arbitrary<Buffer> {
  return fc.tuple(fc.constantFrom(...originals[format]), changes).map(([original, all]) => {
    let bytes: Buffer = Buffer.from(original);
    for (const change of all) if (bytes.length > 0) bytes = change(bytes);
    return bytes;
  });
}

const blank = (width: number, height: number, channels: 3 | 4 = 3) =>
  sharp({ create: { width, height, channels, background: '#fff' }, limitInputPixels: false });
const manyFrames = (head: Buffer, frame: Buffer, count: number, end: Buffer) =>
  Buffer.concat([head, ...Array<Buffer>(count).fill(frame), end]);

/** A TIFF whose only directory says that the next one is itself. */
function loopedTiff(): Buffer {
  const bytes = Buffer.from(originals.TIFF[0]!);
  const directory = bytes.readUInt32LE(4);
  bytes.writeUInt32LE(directory, directory + 2 + 12 * bytes.readUInt16LE(directory));
  return bytes;
}

/** A JPEG of 60 megapixels with a great many scans, all empty. */
function manyScans(): Buffer {
  const bytes = Buffer.from(originals.JPEG[1]!);
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc2]));
  bytes.writeUInt16BE(5000, frame + 5);
  bytes.writeUInt16BE(5000, frame + 7);
  const scan = bytes.indexOf(Buffer.from([0xff, 0xda]));
  const next = bytes.indexOf(Buffer.from([0xff, 0xc4]), scan);
  return Buffer.concat([bytes, ...Array<Buffer>(20_000).fill(bytes.subarray(scan, next))]);
}

/** An AVIF whose box says 100×100 and whose stream has 2000×2000. */
async function lyingAvif(): Promise<Buffer> {
  const bytes = await blank(2000, 2000).avif({ effort: 0 }).toBuffer();
  const extent = bytes.indexOf('ispe') + 8;
  bytes.writeUInt32BE(100, extent);
  bytes.writeUInt32BE(100, extent + 4);
  return bytes;
}

/** White, lossless, 8000×8000, as sharp writes it in a second. */
const whiteWebp = Buffer.from('UklGRh4AAABXRUJQVlA4TBEAAAAvP9/PBwfQ//73v/+BiOh/AAA=', 'base64');

/** Small as files only, or tedious to read. */
export async function hostile(): Promise<Readonly<Record<string, Buffer>>> {
  const gif = await blank(1, 1).gif().toBuffer();
  const gifFrame = gif.subarray(gif.indexOf(Buffer.from([0x2c, 0, 0, 0, 0])), -1);
  return {
    'a PNG of 12,000×12,000': whitePng(12_000),
    'an interlaced PNG of 5000×5000': await blank(5000, 5000, 4).png({ progressive: true }).toBuffer(),
    'a lossless WebP of 8000×8000': whiteWebp,
    'a GIF of 5000×5000': await blank(5000, 5000).gif({ effort: 1 }).toBuffer(),
    'a GIF of 100,000 frames': manyFrames(gif.subarray(0, -1), gifFrame, 100_000, gif.subarray(-1)),
    'a TIFF of 8000×8000': await blank(8000, 8000).tiff({ compression: 'lzw' }).toBuffer(),
    'a TIFF whose directory is the next one': loopedTiff(),
    'a JPEG of many scans': manyScans(),
    'an AVIF that is larger than it says': await lyingAvif(),
  };
}
