import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFor } from '../../../src/lib/random.ts';
import { distort } from '../../../src/model/data/augment.ts';
import { imageAt, imageSide, imageSize } from '../../../src/model/data/dataset.ts';
import { mnist } from './mnist.ts';

const digit = imageAt(mnist.train, 0);

function distorted(image: Uint8Array, seed: number): Uint8Array {
  const target = new Uint8Array(imageSize);
  distort(image, target, randomFor(seed, 'test'));
  return target;
}

describe('distort', () => {
  it('draws another writing of the same ink each time', () => {
    const [first, second] = [distorted(digit, 1), distorted(digit, 2)];
    expect(first).not.toEqual(second);
    expect(first).not.toEqual(digit);
    const seeds = Array.from({ length: 200 }, (_, seed) => seed);
    const inkShare = seeds.map((seed) => inkOf(distorted(digit, seed)) / inkOf(digit));
    expect(Math.min(...inkShare)).toBeGreaterThan(0.7); // 1.1 × 1.1 smaller, and a little lost at the edge
    expect(Math.max(...inkShare)).toBeLessThan(1.35);
    const mean = inkShare.reduce((sum, share) => sum + share, 0) / inkShare.length;
    expect(mean).toBeGreaterThan(0.95);
    expect(mean).toBeLessThan(1.05);
  });

  it('moves ink by little, and to all sides', () => {
    const dot = new Uint8Array(imageSize);
    for (const [x, y] of [
      [13, 13],
      [14, 13],
      [13, 14],
      [14, 14],
    ] as const)
      dot[y * imageSide + x] = 255; // at the centre
    const centres = Array.from({ length: 200 }, (_, seed) => centreOf(distorted(dot, seed)));
    for (const axis of [0, 1] as const) {
      const offsets = centres.map((at) => at[axis] - 13.5);
      expect(Math.max(...offsets.map(Math.abs))).toBeLessThan(2.5);
      expect(Math.min(...offsets)).toBeLessThan(-1.5);
      expect(Math.max(...offsets)).toBeGreaterThan(1.5);
    }
  });

  it('is the same for the same random numbers, and reads nothing outside', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.uint8Array({ minLength: imageSize, maxLength: imageSize }),
        (seed, image) => {
          const result = distorted(image, seed);
          expect(result).toEqual(distorted(image, seed));
          const white = distorted(new Uint8Array(imageSize).fill(255), seed);
          for (let i = 0; i < imageSize; i++) expect(result[i]).toBeLessThanOrEqual(white[i]!);
        },
      ),
      { numRuns: 30 },
    );
  });
});

function inkOf(image: Uint8Array): number {
  return image.reduce((sum, grey) => sum + grey, 0);
}

function centreOf(image: Uint8Array): [x: number, y: number] {
  let [x, y] = [0, 0];
  for (const [i, grey] of image.entries()) {
    x += grey * (i % imageSide);
    y += grey * Math.floor(i / imageSide);
  }
  return [x / inkOf(image), y / inkOf(image)];
}
