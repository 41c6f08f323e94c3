import * as fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readSplit } from '../../../src/model/data/built-in.ts';
import { imageAt, imageSide } from '../../../src/model/data/dataset.ts';
import { tonesByColour } from '../../../src/model/image/colour-axis.ts';
import { toGreys } from '../../../src/model/image/greys.ts';
import { readDigit } from '../../../src/model/image/read-digit.ts';
import type { Samples } from '../../../src/model/image/samples.ts';
import { runs } from '../../long.ts';
import { difference, digitPicture, enlarged, mean, placed } from './pictures.ts';

type Colour = readonly [number, number, number];
const test = await readSplit('mnist', 'test');
const luminance = ([r, g, b]: Colour) => (77 * r + 150 * g + 29 * b) >> 8;

/** A digit drawn in one colour on another, with its soft edges. */
function coloured(digit: Uint8Array, paper: Colour, ink: Colour): Samples {
  const { values: ink8, width, height } = placed(enlarged(digitPicture(digit), 3), 150, 120, 30, 20);
  const values = new Uint8Array(3 * width * height);
  for (let i = 0; i < ink8.length; i++) {
    for (let c = 0; c < 3; c++)
      values[3 * i + c] = Math.round(paper[c]! + ((ink[c]! - paper[c]!) * ink8[i]!) / 255);
  }
  return { values, width, height, channels: 3 };
}

describe('ink as bright as its paper', () => {
  it.each<[string, Colour, Colour]>([
    ['red on green', [70, 160, 70], [230, 75, 80]],
    ['green on red', [230, 75, 80], [70, 160, 70]],
    ['blue on olive', [100, 100, 40], [60, 90, 240]],
    ['yellow on white', [255, 255, 255], [255, 245, 60]],
    ['orange on light blue', [110, 170, 240], [240, 140, 60]],
  ])('is read: %s', async (_colours, paper, ink) => {
    expect(Math.abs(luminance(paper) - luminance(ink))).toBeLessThan(30);
    const far: number[] = [];
    for (let i = 0; i < 20; i++) {
      const digit = imageAt(test, i * 50);
      const { values, ...raw } = coloured(digit, paper, ink);
      const picture = sharp(values, { raw: { ...raw, channels: 3 } });
      for (const bytes of [
        await picture.clone().png().toBuffer(),
        await picture.jpeg({ quality: 85 }).toBuffer(),
      ]) {
        const read = await readDigit(bytes);
        far.push(difference(read.ok ? read.pixels : null, digit));
      }
    }
    expect(mean(far)).toBeLessThan(9);
  });
});

describe('tones by colour are left alone', () => {
  const grey = fc.record({
    width: fc.integer({ min: 1, max: 40 }),
    seed: fc.uint8Array({ minLength: 1, maxLength: 1600 }),
  });

  it('where red, green and blue are equal, whatever they are', () => {
    fc.assert(
      fc.property(grey, ({ seed }) => {
        const values = Uint8Array.from({ length: 3 * seed.length }, (_, i) => seed[Math.floor(i / 3)]!);
        expect(tonesByColour({ values, width: seed.length, height: 1, channels: 3 }, seed)).toBeNull();
      }),
      { numRuns: runs(500) },
    );
  });

  it.each<[string, Colour, Colour]>([
    ['blue ink on white paper', [250, 250, 248], [40, 60, 160]],
    ['red ink on white paper', [255, 255, 255], [220, 20, 40]],
    ['faint pencil on cream paper', [245, 235, 215], [215, 208, 192]],
    ['colours that hardly differ', [120, 140, 160], [135, 132, 150]],
  ])('for %s', (_colours, paper, ink) => {
    const samples = coloured(imageAt(test, 0), paper, ink);
    const greys = Uint8Array.from({ length: samples.values.length / 3 }, (_, i) =>
      luminance([...samples.values.subarray(3 * i, 3 * i + 3)] as unknown as Colour),
    );
    expect([...toGreys(samples).values]).toEqual([...greys]);
  });

  it("where several colours surround the paper's", () => {
    const values = new Uint8Array(3 * imageSide * imageSide).fill(128);
    values.set([228, 77, 128, 28, 179, 128], 300); // opposite hues
    const greys = new Uint8Array(imageSide * imageSide).fill(128);
    expect(tonesByColour({ values, width: imageSide, height: imageSide, channels: 3 }, greys)).toBeNull();
  });
});
