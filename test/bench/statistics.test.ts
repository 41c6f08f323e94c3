/** Middle values, percentiles and spreads of small sets that can be checked by eye. */
import { expect, it } from 'vitest';
import { median, percentile, spread } from '../../bench/lib/statistics.ts';

it.each([
  [[3], 3],
  [[5, 1, 3], 3],
  [[10, 2, 4, 1], 3],
  [[1, Number.POSITIVE_INFINITY, 2], 2],
  [[1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY], Number.POSITIVE_INFINITY],
])('the median of %j is %d', (values, expected) => {
  expect(median(values)).toBe(expected);
});

it('there is no median and no percentile of nothing', () => {
  expect(median([])).toBeNaN();
  expect(percentile([], 0.99)).toBeNaN();
});

it.each([
  [0.5, 50],
  [0.95, 95],
  [0.99, 99],
  [0.991, 100],
  [1, 100],
])('a share of %d of 1 … 100 does not exceed %d', (share, expected) => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentile(values, share)).toBe(expected);
});

it('neither median nor percentile changes the order of what it is given', () => {
  const values = [3, 1, 2];
  median(values);
  percentile(values, 0.5);
  expect(values).toEqual([3, 1, 2]);
});

it('a spread is the least and the most', () => {
  expect(spread([3.14, 1.06, 2], 1)).toBe('1.1 … 3.1');
});
