import { describe, expect, it } from 'vitest';
import { randomFor } from '../../../../src/lib/random.ts';
import { digitLabels } from '../../../../src/model/data/labels.ts';
import { glyphs } from '../../../../src/model/data/outliers/glyphs.ts';
import { outliersFor } from '../../../../src/model/data/outliers/outliers.ts';
import { crossOut, drawScribble } from '../../../../src/model/data/outliers/scribbles.ts';
import { drawFitted } from '../../../../src/model/data/outliers/strokes.ts';
import { drawGarment, drawNoise, drawTexture } from '../../../../src/model/data/outliers/surfaces.ts';
import { drawTwoDigits } from '../../../../src/model/data/outliers/two-digits.ts';
import { extentOf } from '../../../../src/model/image/extent.ts';
import { mnist } from '../mnist.ts';

type Draw = (target: Uint8Array, random: ReturnType<typeof randomFor>) => void;

function drawn(draw: Draw, seed: number): Uint8Array {
  const target = new Uint8Array(784);
  draw(target, randomFor(seed, 'test'));
  return target;
}

const seeds = Array.from({ length: 50 }, (_, seed) => seed);

describe.each<[string, Draw]>([
  ['any outlier', (target, random) => outliersFor(digitLabels)(target, random, mnist.train)],
  ['any outlier of other labels', (target, random) => outliersFor(['a', 'b'])(target, random, mnist.train)],
  ['a scribble', drawScribble],
  ['a crossed-out digit', crossOut],
  ['a garment', drawGarment],
  ['a texture', drawTexture],
  ['noise', drawNoise],
  ['two digits', (target, random) => drawTwoDigits(target, random, mnist.train)],
])('%s', (_name, draw) => {
  it('is the same from the same generator, and another from another', () => {
    for (const seed of seeds) expect(drawn(draw, seed)).toEqual(drawn(draw, seed));
    expect(new Set(seeds.map((seed) => drawn(draw, seed).toString())).size).toBeGreaterThan(45);
  });

  it('has ink', () => {
    for (const seed of seeds) expect(drawn(draw, seed).some((value) => value > 60)).toBe(true);
  });
});

describe('a glyph', () => {
  it('is no digit and no letter that some hand writes as one', () => {
    expect(glyphs.length).toBeGreaterThan(35);
    for (const strokes of glyphs) expect(strokes.flat().length).toBeGreaterThan(1);
  });

  it('is drawn as MNIST was made: 20 pixels long, its mass in the middle, upright', () => {
    for (const strokes of glyphs) {
      const target = new Uint8Array(784);
      drawFitted(strokes, 2, target);
      const { longest, x, y, box } = extentOf(target, 28);
      expect(longest).toBeGreaterThanOrEqual(19);
      expect(longest).toBeLessThanOrEqual(22);
      if (box.x0 > 0 && box.x1 < 27) expect(Math.abs(x - 14)).toBeLessThanOrEqual(1);
      if (box.y0 > 0 && box.y1 < 27) expect(Math.abs(y - 14)).toBeLessThanOrEqual(1);
    }
    const [letterA] = glyphs; // its bar is below the middle
    const target = new Uint8Array(784);
    drawFitted(letterA!, 2, target);
    const inkIn = (from: number, to: number) =>
      target.subarray(from * 28, to * 28).filter((value) => value > 127).length;
    expect(inkIn(14, 24)).toBeGreaterThan(inkIn(4, 14));
  });

  it('is drawn as a dot where all its points are one', () => {
    const target = new Uint8Array(784);
    drawFitted(
      [
        [
          [3, 3],
          [3, 3],
        ],
      ],
      3,
      target,
    );
    expect(target.some((value) => value === 255)).toBe(true);
  });
});
