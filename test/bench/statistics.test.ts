import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTable, formatVerdicts, isMet, type Verdict } from '../../bench/lib/report.ts';
import { median, percentile, spread } from '../../bench/lib/statistics.ts';

const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 });

describe('median', () => {
  it.each([
    [[3], 3],
    [[4, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('has half of all on either side', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const middle = median(values);
        expect(values.filter((value) => value <= middle).length).toBeGreaterThanOrEqual(values.length / 2);
        expect(values.filter((value) => value >= middle).length).toBeGreaterThanOrEqual(values.length / 2);
      }),
    );
  });
});

describe('percentile', () => {
  it.each([
    [0.5, 50],
    [0.99, 99],
    [0.991, 100],
    [1, 100],
  ])('%d of 1 … 100 is %d', (share, expected) => {
    expect(
      percentile(
        Array.from({ length: 100 }, (_, i) => 100 - i),
        share,
      ),
    ).toBe(expected);
  });

  it('is one of the values, and grows with the share', () => {
    fc.assert(
      fc.property(numbers, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, share) => {
        expect(values).toContain(percentile(values, share));
        expect(percentile(values, share)).toBeLessThanOrEqual(percentile(values, 1));
      }),
    );
  });

  it('of nothing is no number', () => {
    expect(percentile([], 0.5)).toBeNaN();
  });
});

it('spread names the least and the most', () => {
  expect(spread([2, 1.26, 3], 1)).toBe('1.3 … 3.0');
});

describe('a verdict', () => {
  const verdict: Verdict = { what: 'rate', value: 0.9999, bar: 1, better: 'more' };

  it('is by the value as measured', () => {
    expect(isMet(verdict)).toBe(false);
    expect(isMet({ ...verdict, value: 1 })).toBe(true);
    expect(isMet({ ...verdict, better: 'less' })).toBe(true);
    expect(isMet({ ...verdict, value: Number.NaN })).toBe(false);
    expect(isMet({ ...verdict, value: Number.POSITIVE_INFINITY, better: 'less' })).toBe(false);
  });

  it('never shows a missed bar as met', () => {
    expect(formatVerdicts([verdict])).toBe('      measured  bar\nrate     0.999  ≥ 1  missed');
  });
});

it('a table has columns as wide as their widest cell', () => {
  expect(
    formatTable([
      ['', 'n'],
      ['rate', '10'],
      ['x', '9'],
    ]),
  ).toBe('       n\nrate  10\nx      9');
});
