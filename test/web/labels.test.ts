import { describe, expect, it } from 'vitest';
import { areDigits, digitLabels, matchingLabels, widthOf } from '../../web/src/ui/labels.ts';

it('only 0 to 9, in this order, are digits', () => {
  expect(areDigits(digitLabels)).toBe(true);
  expect(areDigits(digitLabels.toReversed())).toBe(false);
  expect(areDigits(digitLabels.slice(1))).toBe(false);
});

it.each([
  ['', 0],
  ['7', 1],
  ['sign', 4],
  ['漢字', 4],
  ['🚂', 2],
])('"%s" is %i columns wide', (label, columns) => {
  expect(widthOf(label)).toBe(columns);
});

describe('the labels that a text is part of', () => {
  const labels = ['Öl', 'olive', 'o', 'Reis', 'сок'];

  it('are all without a text', () => {
    expect(matchingLabels(labels, ' ')).toEqual(labels);
  });

  it('are found without marks and in either case, the very label first', () => {
    expect(matchingLabels(labels, 'O')).toEqual(['o', 'Öl', 'olive']);
    expect(matchingLabels(labels, 'ÖL')).toEqual(['Öl', 'olive']);
    expect(matchingLabels(labels, 'СОК')).toEqual(['сок']);
    expect(matchingLabels(labels, 'x')).toEqual([]);
  });
});
