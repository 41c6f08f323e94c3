/** Tables, and bars that are held to what was measured and not to what is printed. */
import { expect, it } from 'vitest';
import {
  formatBusy,
  formatTable,
  formatVerdicts,
  isMet,
  toJson,
  type Verdict,
} from '../../bench/lib/report.ts';

const verdict = (value: number, bar: number, better: 'more' | 'less'): Verdict => ({
  what: 'speed',
  value,
  bar,
  better,
});

it('aligns the first column to the left and the others to the right', () => {
  expect(
    formatTable([
      ['', 'n'],
      ['one', '10'],
      ['eleven', '1'],
    ]),
  ).toBe('         n\none     10\neleven   1');
});

it.each([
  ['just below a bar of more', verdict(0.99999, 1, 'more'), 'missed', '0.999'],
  ['at a bar of more', verdict(1, 1, 'more'), 'met', '1.000'],
  ['just above a bar of less', verdict(0.30001, 0.3, 'less'), 'missed', '0.301'],
  ['at a bar of less', verdict(0.3, 0.3, 'less'), 'met', '0.300'],
  ['never reached', verdict(Number.POSITIVE_INFINITY, 0.3, 'less'), 'missed', 'Infinity'],
  ['not measured', verdict(Number.NaN, 0.3, 'less'), 'missed', 'NaN'],
])('%s', (_, held, result, printed) => {
  expect(isMet(held) ? 'met' : 'missed').toBe(result);
  expect(formatVerdicts([held])).toMatch(new RegExp(` ${printed} .* ${result}$`));
});

it('names units beside figure and bar', () => {
  expect(formatVerdicts([{ ...verdict(12.5, 20, 'less'), unit: ' ms' }])).toMatch(/12\.500 ms {2}≤ 20 ms/);
});

it('writes JSON in one line, with what is met and with infinity', () => {
  const text = toJson({ ours: [Number.POSITIVE_INFINITY] }, [verdict(2, 1, 'more')]);
  expect(text).not.toContain('\n');
  expect(JSON.parse(text)).toEqual({
    ours: ['Infinity'],
    verdicts: [{ what: 'speed', value: 2, bar: 1, better: 'more', met: true }],
  });
});

it('warns of a machine that was busy', () => {
  expect(formatBusy(0.1)).toBe('');
  expect(formatBusy(1.4)).toMatch(/load 1\.4/);
});
