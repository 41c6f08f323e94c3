import { describe, expect, it } from 'vitest';
import { histogram, medianOf, nth, quantile, totalOf } from '../../src/lib/counts.ts';

const counts = histogram(Uint8Array.of(3, 1, 3, 7), 8);

describe('counts of values', () => {
  it('are a histogram, of every value or of every few', () => {
    expect([...counts]).toEqual([0, 1, 0, 2, 0, 0, 0, 1]);
    expect(totalOf(counts)).toBe(4);
    expect([...histogram(Uint8Array.of(3, 1, 3, 7), 8, 2)]).toEqual([0, 0, 0, 2, 0, 0, 0, 0]);
  });

  it('give the value at each place, and the last one past the end', () => {
    expect([-1, 0, 1, 2, 2.5, 3, 9].map((n) => nth(counts, n))).toEqual([0, 1, 3, 3, 3, 7, 7]);
  });

  it('give the least value that a share does not exceed, 0 where nothing was counted', () => {
    expect([0.25, 0.26, 0.75, 0.76, 1].map((share) => quantile(counts, share))).toEqual([1, 3, 3, 7, 7]);
    expect(quantile(new Uint32Array(8), 0.5)).toBe(0);
  });

  it('give the mean of the middle two as the median of an even number', () => {
    expect(medianOf(histogram(Uint8Array.of(1, 2, 5, 9)))).toBe(3.5);
    expect(medianOf(histogram(Uint8Array.of(1, 2, 9)))).toBe(2);
  });
});
