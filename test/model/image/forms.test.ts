/** What belongs to paper and form is taken away, the digit is not; what was taken away is said. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Greys } from '../../../src/model/image/greys.ts';
import { normaliseWithWarnings } from '../../../src/model/image/normalise.ts';
import { runs } from '../../long.ts';
import {
  blank,
  codesOf,
  cropped,
  difference,
  digitPicture,
  drawLine,
  enlarged,
  inkOf,
  inverted,
  mean,
  placed,
  testDigits,
} from './pictures.ts';

const digits = testDigits(25, 391);

/** White ink on black, 200 × 200, the digit 100 high. */
function page(pixels: Uint8Array, left = 50, top = 50): Greys {
  return placed(enlarged(cropped(digitPicture(pixels)), 5), 200, 200, left, top);
}

const ends = { low: 0, high: 198 };

function ruled(picture: Greys, step: number, first: number, pen = 2): Greys {
  for (let y = first; y < 197; y += step) drawLine(picture, [ends.low, y], [ends.high, y], pen);
  return picture;
}

function squared(picture: Greys, step: number, first: number): Greys {
  for (let x = first; x < 197; x += step) drawLine(picture, [x, ends.low], [x, ends.high], 2);
  return ruled(picture, step, first);
}

function boxed(picture: Greys, x0: number, y0: number, x1: number, y1: number, pen = 2): Greys {
  const corners = [
    [x0, y0],
    [x1, y0],
    [x1, y1],
    [x0, y1],
    [x0, y0],
  ] as const;
  for (let i = 0; i < 4; i++) drawLine(picture, corners[i]!, corners[i + 1]!, pen);
  return picture;
}

const tilted = (picture: Greys) => {
  for (const y of [20, 70, 120, 170]) drawLine(picture, [0, y], [198, y + 8], 2);
  return picture;
};

describe('lines of paper and form', () => {
  it.each<[string, (picture: Greys) => Greys, string]>([
    ['ruled paper', (picture) => ruled(picture, 33, 11), 'RULES_REMOVED'],
    ['ruled paper, held askew', tilted, 'RULES_REMOVED'],
    ['squared paper', (picture) => squared(picture, 29, 9), 'RULES_REMOVED'],
    ['a box around it', (picture) => boxed(picture, 20, 30, 175, 170), 'FRAME_REMOVED'],
    ['a box that it touches', (picture) => boxed(picture, 40, 60, 165, 170), 'FRAME_REMOVED'],
    ['a box cut off on one side', (picture) => boxed(picture, 20, 30, 198, 170), 'FRAME_REMOVED'],
    ['an underline', (picture) => ruled(picture, 500, 165), 'RULES_REMOVED'],
  ])('%s: the digit is left, whole', (_, print, code) => {
    const far = digits.map((pixels) => {
      const printed = normaliseWithWarnings(print(page(pixels)))!;
      return difference(printed.pixels, normaliseWithWarnings(page(pixels))!.pixels);
    });
    expect(mean(far)).toBeLessThan(code === 'RULES_REMOVED' ? 12 : 6);
    const said = digits.filter((pixels) => codesOf(print(page(pixels)))!.includes(code as never));
    expect(said.length).toBeGreaterThanOrEqual(digits.length - 2);
  });

  it('are taken away from the inverse picture just so', () => {
    for (const pixels of digits) {
      const picture = squared(page(pixels), 29, 9);
      expect(normaliseWithWarnings(inverted(picture))).toEqual(normaliseWithWarnings(picture));
    }
  });

  it('leave the digit where they are alone, wherever it lies', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...digits),
        fc.integer({ min: 2, max: 98 }),
        fc.integer({ min: 2, max: 98 }),
        (pixels, x, y) => {
          expect(normaliseWithWarnings(page(pixels, x, y))).toEqual(normaliseWithWarnings(page(pixels)));
        },
      ),
      { numRuns: runs(100) },
    );
  });

  it('without a digit have no ink', () => {
    expect(normaliseWithWarnings(ruled(blank(200, 200), 33, 11))).toBeNull();
    expect(normaliseWithWarnings(squared(blank(200, 200), 29, 9))).toBeNull();
  });
});

describe('strokes that look like lines of a form', () => {
  it.each<[string, readonly (readonly [number, number, number, number])[]]>([
    ['a 1', [[100, 40, 100, 160]]],
    [
      'a 1 with a foot',
      [
        [100, 40, 100, 160],
        [75, 160, 125, 160],
      ],
    ],
    [
      'a 4',
      [
        [60, 40, 50, 110],
        [50, 110, 140, 110],
        [115, 60, 115, 165],
      ],
    ],
    [
      'a 7',
      [
        [50, 40, 150, 40],
        [150, 40, 90, 165],
      ],
    ],
    [
      'a 7 with a bar',
      [
        [50, 40, 150, 40],
        [150, 40, 90, 165],
        [95, 100, 145, 100],
      ],
    ],
    [
      'a 5 with its bar apart',
      [
        [75, 40, 150, 40],
        [70, 50, 65, 95],
        [65, 95, 140, 110],
        [140, 110, 130, 160],
        [130, 160, 60, 160],
      ],
    ],
  ])('%s is left as it is', (_, strokes) => {
    const drawn = blank(200, 200);
    for (const [x0, y0, x1, y1] of strokes) drawLine(drawn, [x0, y0], [x1, y1], 4);
    expect(codesOf(drawn)).toEqual([]);
  });

  it('hardly any digit loses a stroke or is said to', () => {
    const warned = Array.from({ length: 500 }, (_, i) => i * 20).filter((i) => {
      const codes = codesOf(placed(inkOf(i, 4), 130, 130, 20, 20));
      return codes!.length > 0;
    });
    expect(warned.length).toBeLessThanOrEqual(4);
  });
});

describe('specks', () => {
  it('beside the digit change nothing', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...digits),
        fc.array(fc.tuple(fc.nat(195), fc.oneof(fc.nat(20), fc.integer({ min: 175, max: 195 }))), {
          maxLength: 8,
        }),
        (pixels, places) => {
          const picture = page(pixels);
          for (const [x, y] of places) drawLine(picture, [x, y], [x + 1, y], 2);
          const { pixels: seen } = normaliseWithWarnings(picture)!;
          expect(difference(seen, normaliseWithWarnings(page(pixels))!.pixels)).toBeLessThan(8);
        },
      ),
      { numRuns: runs(100) },
    );
  });
});
