import * as fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { fitWhole, greysOnWhite, readWholePicture } from '../../../src/model/image/whole-picture.ts';
import { testDigit } from './pictures.ts';

const grey = (width: number, height: number, value: number) => ({
  values: new Uint8Array(width * height).fill(value),
  width,
  height,
});

describe('a whole picture', () => {
  it('of 28×28 stays as it is', () => {
    expect(fitWhole({ values: testDigit(3), width: 28, height: 28 })).toEqual(testDigit(3));
  });

  it('keeps its aspect, with the grey of its border beside it', () => {
    const wide = grey(56, 28, 100); // fitted to 28×14
    for (let y = 7; y < 21; y++) for (let x = 14; x < 42; x++) wide.values[y * 56 + x] = 200;
    const pixels = fitWhole(wide);
    const at = (x: number, y: number) => pixels[y * 28 + x];
    expect([at(0, 0), at(27, 27), at(14, 6), at(14, 21)]).toEqual([100, 100, 100, 100]);
    expect([at(14, 14), at(7, 11), at(20, 16)]).toEqual([200, 200, 200]);
  });

  it('of one tone stays one tone, whatever its size', () => {
    const side = fc.integer({ min: 1, max: 120 });
    fc.assert(
      fc.property(side, side, fc.integer({ min: 0, max: 255 }), (width, height, tone) => {
        expect(fitWhole(grey(width, height, tone)).every((value) => value === tone)).toBe(true);
      }),
    );
  });

  it('shows white where it is transparent, and is not inverted', () => {
    const values = Uint8Array.from([10, 10, 10, 0, 10, 10, 10, 255, 0, 0, 0, 128, 255, 255, 255, 0]);
    const { values: greys } = greysOnWhite({ values, width: 2, height: 2, channels: 4 });
    expect([...greys]).toEqual([255, 10, 127, 255]);
  });

  it('is read upright', async () => {
    const values = Buffer.alloc(40 * 20, 50);
    values.fill(250, 0, 40 * 10); // the upper half
    const stored = sharp(values, { raw: { width: 40, height: 20, channels: 1 } });
    const bytes = await stored.withMetadata({ orientation: 6 }).png().toBuffer(); // to be turned right
    const read = await readWholePicture(bytes);
    if (!read.ok) throw new Error(read.message);
    expect([read.pixels[14 * 28 + 9], read.pixels[14 * 28 + 18]]).toEqual([50, 250]);
  });

  it('tells what is wrong with the bytes', async () => {
    expect(await readWholePicture(Buffer.from('text'))).toMatchObject({ code: 'IMAGE_TYPE_UNSUPPORTED' });
    expect(await readWholePicture(Buffer.alloc(0))).toMatchObject({ code: 'IMAGE_EMPTY' });
  });
});
