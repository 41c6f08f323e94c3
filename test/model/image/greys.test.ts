import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toGreys } from '../../../src/model/image/greys.ts';

const white = [255, 255, 255, 255];
const black = [0, 0, 0, 255];
const clear = [77, 77, 77, 0]; // what lies under transparency must not show

const level = fc.oneof({ arbitrary: fc.constant(255), weight: 4 }, { arbitrary: fc.nat(255), weight: 1 });
const ends: [number, number, number, number][] = [
  [0, 0, 0, 19],
  [255, 255, 255, 19],
];

function rgba(width: number, ...pixels: number[][]): number[] {
  const values = Uint8Array.from(pixels.flat());
  return [...toGreys({ values, width, height: pixels.length / width, channels: 4 }).values];
}

describe('toGreys', () => {
  it('keeps every grey exactly', () => {
    const values = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));
    const greys = toGreys({ values, width: 256, height: 1, channels: 3 });
    expect([...greys.values]).toEqual(Array.from({ length: 256 }, (_, i) => i));
  });

  it('weighs colours by how bright they look', () => {
    const values = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255);
    expect([...toGreys({ values, width: 3, height: 1, channels: 3 }).values]).toEqual([76, 149, 28]);
  });

  it('takes no four pixels for one grey because their bytes repeat', () => {
    const values = Uint8Array.of(1, 2, 30, 4, 1, 2, 30, 4, 1, 2, 30, 4);
    expect([...toGreys({ values, width: 4, height: 1, channels: 3 }).values]).toEqual([4, 2, 11, 18]);
  });

  it('weighs each pixel alike, whatever its neighbours are and wherever its bytes lie', () => {
    const pixel = fc.tuple(level, level, level, fc.nat(5)); // and how often it comes again
    const property = (runs: [number, number, number, number][], channels: 3 | 4, start: number) => {
      const bytes = runs.flatMap(([r, g, b, more]) =>
        Array(1 + more)
          .fill([r, g, b, 255].slice(0, channels))
          .flat(),
      );
      const moved = new Uint8Array([...Array(start).fill(9), ...bytes]).subarray(start);
      const width = bytes.length / channels;
      const { values: greys } = toGreys({ values: moved, width, height: 1, channels });
      const weighed = runs.flatMap(([r, g, b, more]) =>
        Array(1 + more).fill((77 * r + 150 * g + 29 * b) >> 8),
      );
      expect([...greys]).toEqual(weighed);
    };
    // Black and white keep the picture one of greys.
    const runs = fc.array(pixel, { minLength: 1, maxLength: 40 }).map((some) => [...ends, ...some]);
    fc.assert(fc.property(runs, fc.constantFrom(3 as const, 4 as const), fc.nat(3), property));
  });

  it('ignores an alpha channel that is opaque', () => {
    expect(rgba(2, black, white)).toEqual([0, 255]);
  });

  it('lays black ink on white and lets its soft edge fade', () => {
    expect(rgba(3, clear, [0, 0, 0, 128], black)).toEqual([255, 127, 0]);
  });

  it('lays white ink on black and lets its soft edge fade', () => {
    expect(rgba(3, clear, [255, 255, 255, 128], white)).toEqual([0, 128, 255]);
  });

  it('shows ink that is nowhere opaque', () => {
    expect(rgba(2, clear, [255, 255, 255, 51])).toEqual([0, 51]);
  });

  it('continues the tone of a card that a digit stands on', () => {
    const card = [6, 7, 8, 11, 13, 16, 17, 18]; // 3×3 in the middle of 5×5, around the digit
    const pixels = Array.from({ length: 25 }, (_, i) =>
      i === 12 ? black : card.includes(i) ? white : clear,
    );
    expect(rgba(5, ...pixels)).toEqual(pixels.map((_, i) => (i === 12 ? 0 : 255)));
  });

  it('gives one tone for an image that is transparent all over', () => {
    expect(new Set(rgba(2, clear, clear)).size).toBe(1);
  });
});
