import { describe, expect, it } from 'vitest';
import { toGreys } from '../../../src/model/image/greys.ts';

const white = [255, 255, 255, 255];
const black = [0, 0, 0, 255];
const clear = [77, 77, 77, 0]; // what lies under transparency must not show

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
