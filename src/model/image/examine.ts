/** What a picture's header says, and what its decoding will cost, without decoding it. */
import { readJpegHeader } from './formats/jpeg-header.ts';
import { type Format, typeOf } from './formats/signatures.ts';
import { largestTiffPart } from './formats/tiff-header.ts';
import { isLossyWebp } from './formats/webp-header.ts';
import { type Metadata, sharp } from './sharp.ts';

/** 64 binary megapixels: cameras of "64 megapixels" take a little more than 64 million. */
export const maxPixels = 2 ** 26;
export const maxSide = 65_535; // pixels, the largest of JPEG
/** Larger pictures are shrunk by 2, 4, 8, … while they are decoded. The page sends no more pixels than these. */
export const workingPixels = 2e6;
export const workingSide = 10_000; // pixels; the border of a thin strip would cost more than its area
/** Decoding one picture may take this much memory. */
export const maxDecodeBytes = 160e6;

const workingBytes = 4; // a working pixel, as RGB and as grey
const rows = 64; // that a decoder which streams keeps at a time, with what shrinks them

export type Examined = {
  readonly width: number; // pixels, as stored
  readonly height: number;
  readonly orientation: number; // EXIF's, 1 to 8
  readonly shrink: number; // 1, 2, 4, …
  readonly memory: number; // bytes, an upper estimate
  readonly kind: string; // what makes it cost that much
  readonly isIntegral: boolean; // its samples are whole numbers of 8 or 16 bits
};

/** @throws Error where the header can't be read */
export async function examine(bytes: Uint8Array, format: Format): Promise<Examined> {
  const metadata = await sharp(bytes, { limitInputPixels: false }).metadata();
  const { width, height, orientation = 1 } = metadata;
  const shrink = shrinkFor(width, height);
  const { kind, whole } = costs[format](bytes, metadata);
  const streamed = Math.min(height, rows) * width * pixelBytes(metadata);
  const memory = whole + streamed + (workingBytes * width * height) / shrink ** 2;
  const isIntegral = ['uchar', 'ushort'].includes(metadata.depth);
  return { width, height, orientation, shrink, memory, kind, isIntegral };
}

/** What decoding a picture will cost; null for one that will be refused. */
export async function costOf(bytes: Uint8Array): Promise<Pick<Examined, 'memory' | 'shrink'> | null> {
  const { format } = typeOf(bytes);
  if (format === null) return null;
  const examined = await examine(bytes, format).catch(() => null);
  return examined && fits(examined) ? examined : null;
}

/** Whether a picture is small enough to be decoded. */
export function fits({ width, height, memory }: Examined): boolean {
  return hasFewEnoughPixels({ width, height }) && memory <= maxDecodeBytes;
}

export function hasFewEnoughPixels({ width, height }: { width: number; height: number }): boolean {
  return width * height <= maxPixels && Math.max(width, height) <= maxSide;
}

/** The power of two by which a picture's sides are divided to have few enough pixels. */
export function shrinkFor(width: number, height: number): number {
  let shrink = 1;
  while ((width * height) / shrink ** 2 > workingPixels || Math.max(width, height) / shrink > workingSide) {
    shrink *= 2;
  }
  return shrink;
}

/** `whole`: bytes of what is decoded in one piece, whatever the shrinking. */
type Cost = { readonly kind: string; readonly whole: number };

const costs: Record<Format, (bytes: Uint8Array, metadata: Metadata) => Cost> = {
  PNG: (_bytes, metadata) =>
    metadata.isProgressive
      ? { kind: 'an interlaced PNG', whole: 1.2 * pixelsOf(metadata) * pixelBytes(metadata) }
      : { kind: 'a PNG', whole: 0 },
  JPEG: (bytes, metadata) => {
    const header = readJpegHeader(bytes);
    if (header && !header.hasSeveralScans) return { kind: 'a JPEG', whole: 0 };
    const coefficients = header?.coefficients ?? pixelsOf(metadata) * metadata.channels;
    return { kind: 'a progressive JPEG', whole: 2 * coefficients };
  },
  // libwebp decodes a lossless one, and each frame of an animation, to 32 bits a pixel.
  WebP: (bytes, metadata) =>
    isLossyWebp(bytes)
      ? { kind: 'a WebP', whole: (metadata.hasAlpha ? 2 : 1) * pixelsOf(metadata) }
      : { kind: 'a lossless WebP', whole: 4.5 * pixelsOf(metadata) },
  // Planes of the decoder, their conversions in libheif, then RGB; samples of more than 8 bits take two bytes.
  AVIF: (_bytes, metadata) => ({
    kind: 'an AVIF',
    whole: (metadata.depth === 'uchar' ? 18.5 : 24.5) * pixelsOf(metadata),
  }),
  GIF: (_bytes, metadata) => ({ kind: 'a GIF', whole: 7 * pixelsOf(metadata) }),
  TIFF: (bytes) => ({ kind: 'a TIFF of strips or tiles so large', whole: 2.5 * largestTiffPart(bytes) }),
};

function pixelsOf({ width, height }: Metadata): number {
  return width * height;
}

function pixelBytes({ channels, depth }: Metadata): number {
  const sampleBytes = {
    ushort: 2,
    short: 2,
    uint: 4,
    int: 4,
    float: 4,
    double: 8,
    complex: 8,
    dpcomplex: 16,
  };
  return channels * (sampleBytes[depth as keyof typeof sampleBytes] ?? 1);
}
