import { expect, it } from 'vitest';
import { type BarRow, rowsOf } from '../../web/src/draw/rows.ts';

const letters = Array.from({ length: 26 }, (_, i) => String.fromCodePoint(97 + i));
const top = (labels: readonly string[]) => labels.map((label, i) => ({ label, probability: 0.5 / (i + 1) }));
const labelsOf = (rows: readonly BarRow[]) => rows.map(({ label }) => label);

it('few labels keep their order, whatever is likeliest', () => {
  const rows = rowsOf({ top: top(['c', 'a', 'b']) }, ['a', 'b', 'c']);
  expect(labelsOf(rows)).toEqual(['a', 'b', 'c']);
  expect(rows.map(({ share }) => share)).toEqual([0.25, 0.5 / 3, 0.5]);
});

it('of many labels, those of the answer are shown, likeliest first', () => {
  const likeliest = letters.slice(5, 15).toReversed();
  expect(labelsOf(rowsOf({ top: top(likeliest) }, letters))).toEqual(likeliest);
});

it.each([2, 3, 10, 11, 26])(
  'there are as many rows before the first answer as after it, of %i labels',
  (count) => {
    const labels = letters.slice(0, count);
    const before = rowsOf(null, labels);
    expect(before).toHaveLength(rowsOf({ top: top(labels.slice(0, 10)) }, labels).length);
    expect(before.every(({ share }) => share === null)).toBe(true);
  },
);

it('a version with other labels than the newest one shows its own', () => {
  expect(labelsOf(rowsOf({ top: top(['x', 'y', 'z']) }, ['a', 'b', 'c']))).toEqual(['x', 'y', 'z']);
});
