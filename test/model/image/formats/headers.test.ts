/** What the headers of files say that matters for the memory of decoding them, and lies in them. */
import * as fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readJpegHeader } from '../../../../src/model/image/formats/jpeg-header.ts';
import { largestTiffPart } from '../../../../src/model/image/formats/tiff-header.ts';
import { isLossyWebp } from '../../../../src/model/image/formats/webp-header.ts';
import { runs } from '../../../long.ts';
import { drawn, transparent, twoFrames } from './pictures-of-formats.ts';

const rgb = (width = 280, height = 280) => drawn(width, height).toColourspace('srgb');

describe('a JPEG', () => {
  it.each([
    ['4:2:0', 304 * 208 * 1.5], // in units of 16×16
    ['4:4:4', 304 * 200 * 3],
  ])('of %s has so many coefficients', async (chromaSubsampling, coefficients) => {
    for (const progressive of [false, true]) {
      const bytes = await rgb(300, 200).jpeg({ chromaSubsampling, progressive }).toBuffer();
      const header = { width: 300, height: 200, hasSeveralScans: progressive, coefficients };
      expect(readJpegHeader(bytes)).toEqual(header);
    }
  });

  it('with a scan for each component needs them all at a time, though it is not progressive', async () => {
    const bytes = await rgb().jpeg().toBuffer();
    const scan = bytes.indexOf(Buffer.from([0xff, 0xda]));
    bytes[scan + 4] = 1;
    expect(readJpegHeader(bytes)).toMatchObject({ hasSeveralScans: true });
  });

  it('that ends before its scan has no header', async () => {
    const bytes = await rgb().jpeg().toBuffer();
    const scan = bytes.indexOf(Buffer.from([0xff, 0xda]));
    for (let length = 0; length < scan; length++) {
      expect(readJpegHeader(bytes.subarray(0, length)), `${length} bytes`).toBeNull();
    }
  });
});

describe('a TIFF', () => {
  const width = 300;
  const height = 200;

  it('has strips or tiles of so many bytes', async () => {
    const tile = { compression: 'none', tile: true, tileWidth: 128, tileHeight: 64 } as const;
    expect(largestTiffPart(await rgb(width, height).tiff(tile).toBuffer())).toBe(384 * 64 * 3);
    const bytes = await rgb(width, height).tiff({ compression: 'none' }).toBuffer();
    const part = largestTiffPart(bytes);
    expect(part % (width * 3)).toBe(0);
    expect(part).toBeLessThanOrEqual(width * height * 3);
    const fax = drawn(width, height).toColourspace('b-w').threshold(128);
    const bits = await fax.tiff({ compression: 'ccittfax4', bitdepth: 1 }).toBuffer();
    expect(largestTiffPart(bits)).toBeLessThanOrEqual((width * height) / 8);
  });

  it('of either byte order', () => {
    const entries = [
      [256, 1000],
      [257, 500],
      [258, 8],
      [277, 3],
    ] as const;
    for (const isLittle of [true, false]) {
      const file = Buffer.alloc(8 + 2 + 12 * entries.length + 4);
      const write = (value: number, at: number, size: number) =>
        isLittle ? file.writeUIntLE(value, at, size) : file.writeUIntBE(value, at, size);
      file.write(isLittle ? 'II' : 'MM', 'latin1');
      write(42, 2, 2);
      write(8, 4, 4);
      write(entries.length, 8, 2);
      for (const [i, [tag, value]] of entries.entries()) {
        write(tag, 10 + 12 * i, 2);
        write(3, 12 + 12 * i, 2);
        write(1, 14 + 12 * i, 4);
        write(value, 18 + 12 * i, 2);
      }
      expect(largestTiffPart(file)).toBe(1000 * 500 * 3); // one strip, since none are declared
    }
  });

  it("with a directory that can't be followed throws", async () => {
    const bytes = await rgb().tiff({ compression: 'none' }).toBuffer();
    for (const offset of [bytes.length - 1, 0xffffffff]) {
      bytes.writeUInt32LE(offset, 4);
      expect(() => largestTiffPart(bytes)).toThrow('directory');
    }
    expect(() => largestTiffPart(bytes.subarray(0, 6))).toThrow('directory');
  });
});

it('tells a lossy WebP from a lossless and from an animated one', async () => {
  expect(isLossyWebp(await rgb().webp().toBuffer())).toBe(true);
  expect(isLossyWebp(await transparent().webp().toBuffer())).toBe(true);
  expect(isLossyWebp(await rgb().webp({ lossless: true }).toBuffer())).toBe(false);
  expect(isLossyWebp(await (await twoFrames()).webp().toBuffer())).toBe(false);
  expect(isLossyWebp(Buffer.from('RIFF\0\0\0\0WEBP'))).toBe(false);
});

it('no bytes at all make the readers of headers fail otherwise, or run for long', async () => {
  const starts = [
    await rgb(40, 40).jpeg().toBuffer(),
    await rgb(40, 40).tiff({ compression: 'lzw' }).toBuffer(),
    await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
      .webp()
      .toBuffer(),
  ];
  const changes = fc.array(fc.tuple(fc.nat(5000), fc.nat(255)), { maxLength: 12 });
  fc.assert(
    fc.property(fc.constantFrom(...starts), changes, fc.nat(5000), (start, changed, length) => {
      const bytes = Buffer.from(start.subarray(0, Math.max(4, length)));
      for (const [at, value] of changed) bytes[at % bytes.length] = value;
      readJpegHeader(bytes);
      isLossyWebp(bytes);
      expect(tiffProblem(bytes)).toMatch(/^$|directory/);
    }),
    { numRuns: runs(5000) },
  );
});

/** Empty where there is none. */
function tiffProblem(bytes: Buffer): string {
  try {
    return largestTiffPart(bytes) >= 0 ? '' : 'less than nothing';
  } catch (error) {
    return (error as Error).message;
  }
}
