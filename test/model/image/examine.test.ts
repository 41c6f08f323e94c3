/** What a picture will cost is known from its header, and what would cost too much is refused. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  costOf,
  examine,
  maxDecodeBytes,
  maxPixels,
  shrinkFor,
  workingPixels,
} from '../../../src/model/image/examine.ts';
import { readDigit } from '../../../src/model/image/read-digit.ts';
import { whitePng } from './picture-files.ts';

const page = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: 'white' }, limitInputPixels: false });

it.each([
  [28, 28, 1],
  [2000, 1000, 1],
  [2001, 1000, 2],
  [4000, 3000, 4],
  [8192, 8192, 8],
  [30_000, 10, 4], // a side of 10,000 at most
  [65_535, 1024, 8],
])('%i×%i is divided by %i', (width, height, shrink) => {
  expect(shrinkFor(width, height)).toBe(shrink);
  expect((width * height) / shrink ** 2).toBeLessThanOrEqual(workingPixels);
});

describe('of 12 megapixels', () => {
  it.each([
    ['a baseline JPEG', () => page(4000, 3000).jpeg(), 10],
    ['a progressive JPEG', () => page(4000, 3000).jpeg({ progressive: true }), 45],
    ['a PNG', () => page(4000, 3000).png({ compressionLevel: 1 }), 10],
    ['an interlaced PNG', () => page(4000, 3000).png({ progressive: true, compressionLevel: 1 }), 50],
    ['a WebP', () => page(4000, 3000).webp({ effort: 0 }), 20],
    ['a lossless WebP', () => page(4000, 3000).webp({ lossless: true, effort: 0 }), 60],
    ['a GIF', () => page(4000, 3000).gif({ effort: 1 }), 90],
    ['a TIFF', () => page(4000, 3000).tiff({ compression: 'lzw' }), 20],
  ])(
    '%s is read, in some MB',
    async (_name, make, megabytes) => {
      const bytes = await make().toBuffer();
      const cost = await costOf(bytes);
      expect(cost!.memory / 1e6).toBeLessThan(megabytes);
      expect(cost!.shrink).toBe(4);
      expect(await readDigit(bytes)).toMatchObject({ code: 'IMAGE_NO_INK' });
    },
    30_000,
  );

  it('an AVIF is not, and the refusal says why and what to do', async () => {
    const bytes = await page(4000, 3000).avif({ effort: 0 }).toBuffer();
    expect(await costOf(bytes)).toBeNull();
    expect(await readDigit(bytes)).toMatchObject({
      code: 'IMAGE_TOO_LARGE',
      message: `expected a picture that is decoded in ${maxDecodeBytes / 1e6} MB, got an AVIF of 4000×3000, which takes 226 MB; scale it down or send it as a baseline JPEG`,
    });
  });
});

describe('of 8 megapixels', () => {
  it('an AVIF is read', async () => {
    const bytes = await page(3264, 2448).avif({ effort: 0 }).toBuffer();
    expect(await readDigit(bytes)).toMatchObject({ code: 'IMAGE_NO_INK' });
  });
});

describe('of 64 megapixels', () => {
  const [width, height] = [9248, 6936] as const;

  it('a baseline JPEG is read', async () => {
    expect(width * height).toBeLessThan(maxPixels);
    const greys = { width, height, channels: 1 } as const;
    const white = sharp(new Uint8Array(width * height).fill(255), { raw: greys, limitInputPixels: false });
    const bytes = await white.toColourspace('b-w').jpeg().toBuffer();
    expect(await readDigit(bytes)).toMatchObject({ code: 'IMAGE_NO_INK' });
  });

  it('a progressive JPEG is refused', async () => {
    const bytes = await page(160, 160).jpeg({ progressive: true }).toBuffer();
    const frame = bytes.indexOf(Buffer.from([0xff, 0xc2]));
    bytes.writeUInt16BE(height, frame + 5);
    bytes.writeUInt16BE(width, frame + 7);
    expect(await readDigit(bytes)).toMatchObject({ code: 'IMAGE_TOO_LARGE' });
  });

  it('a PNG is read', async () => {
    expect(await readDigit(whitePng(8192))).toMatchObject({
      code: 'IMAGE_NO_INK',
      message: expect.stringContaining('got 8192×8192 pixels'), // though it was read smaller
    });
  });
});

it('a TIFF of tiles that are larger than the picture is damaged', async () => {
  const tile = { compression: 'deflate', tile: true, tileWidth: 64, tileHeight: 64 } as const;
  const bytes = await page(100, 100).tiff(tile).toBuffer();
  const at = bytes.indexOf(Buffer.from([0x42, 1, 3, 0])); // the tag of the tile width, a SHORT; the height follows
  bytes.writeUInt16LE(8192, at + 8);
  bytes.writeUInt16LE(8192, at + 20);
  expect(await readDigit(bytes)).toMatchObject({ code: 'IMAGE_NOT_DECODABLE' });
});

it('a TIFF of few large tiles costs what a row of them takes', async () => {
  const tile = { compression: 'deflate', tile: true, tileWidth: 512, tileHeight: 512 } as const;
  const bytes = await page(1500, 900).tiff(tile).toBuffer();
  const { memory, kind } = await examine(bytes, 'TIFF');
  expect(memory).toBeGreaterThan(2 * 1536 * 512 * 3);
  expect(kind).toContain('tiles');
});

it('what is no picture, or damaged, costs nothing', async () => {
  expect(await costOf(Buffer.from('text'))).toBeNull();
  expect(await costOf(Buffer.from('GIF89a'))).toBeNull();
});
