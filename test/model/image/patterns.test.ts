/** Pictures that show no character, or thousands: they take bounded work, and none is a fault. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFor, uniform } from '../../../src/lib/random.ts';
import { piecesOf } from '../../../src/model/image/choose-pieces.ts';
import { findLine } from '../../../src/model/image/find-line.ts';
import type { Greys } from '../../../src/model/image/greys.ts';
import { normaliseWithWarnings } from '../../../src/model/image/normalise.ts';
import { runs } from '../../long.ts';

/** Black where `isInk`, on white. */
function drawn(width: number, height: number, isInk: (x: number, y: number) => boolean): Greys {
  const values = new Uint8Array(width * height).fill(255);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (isInk(x, y)) values[y * width + x] = 0;
  return { values, width, height };
}

const noise = uniform(randomFor(1, 'noise'), 800 * 800, 1);

describe.each<[string, Greys]>([
  ['a grid of dots', drawn(840, 840, (x, y) => x % 7 < 3 && y % 7 < 3)],
  [
    'dots that touch at their corners',
    drawn(600, 600, (x, y) => (Math.floor(x / 4) + Math.floor(y / 4)) % 2 === 0),
  ],
  ['noise', drawn(800, 800, (x, y) => noise[y * 800 + x]! > 0.6)],
  ['a page of marks', drawn(900, 700, (x, y) => y % 24 < 12 && x % 16 < 3 + ((x * 7 + y) % 5))],
  ['stripes', drawn(900, 300, (x) => x % 12 < 5)],
  ['slanted stripes', drawn(900, 300, (x, y) => (x + 3 * y) % 20 < 7)],
  ['a long wave', drawn(7000, 100, (x, y) => Math.abs(y - 50 - 40 * Math.sin(x / 30)) < 4)],
  ['a thin strip', drawn(10_000, 30, (x, y) => Math.abs(y - 15 - 10 * Math.sin(x / 9)) < 2)],
  ['a small grid of dots', drawn(64, 64, (x, y) => x % 2 === 0 && y % 2 === 0)],
])('%s', (_name, picture) => {
  it('is read as one character, or as none', () => {
    expect([784, undefined]).toContain(normaliseWithWarnings(picture)?.pixels.length);
  });

  it('is read as a line of few enough pieces', () => {
    const line = findLine(picture);
    expect(line.shapes.length).toBeLessThanOrEqual(60);
    expect(piecesOf(line).length).toBeLessThan(700);
  });
});

it('crosses, corners and frames of thin strokes are no fault, whatever their size', () => {
  const size = fc.integer({ min: 30, max: 400 });
  fc.assert(
    fc.property(
      size,
      size,
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom('cross', 'corner', 'frame'),
      (w, h, thick, kind) => {
        const [middleX, middleY] = [Math.floor(w / 2), Math.floor(h / 2)];
        const isNear = (value: number, place: number) => value >= place && value < place + thick;
        const [x0, y0, x1, y1] = [20, 20, 20 + w, 20 + h];
        const isInside = (x: number, y: number) => x >= x0 && x <= x1 && y >= y0 && y <= y1;
        const picture = drawn(w + 41, h + 41, (x, y) => {
          if (!isInside(x, y)) return false;
          if (kind === 'cross') return isNear(x, x0 + middleX) || isNear(y, y0 + middleY);
          if (kind === 'corner') return isNear(x, x0) || isNear(y, y0);
          return isNear(x, x0) || isNear(y, y0) || isNear(x, x1 - thick) || isNear(y, y1 - thick);
        });
        expect([784, undefined]).toContain(normaliseWithWarnings(picture)?.pixels.length);
        expect(findLine(picture).shapes.length).toBeLessThan(10);
      },
    ),
    { numRuns: runs(100) },
  );
});
