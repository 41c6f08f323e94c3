import { expect, it } from 'vitest';
import { type Report, verdictsOn } from '../../bench/lib/client-report.ts';
import { isMet } from '../../bench/lib/report.ts';

const way = { name: 'binary', images: 200, others: 0, largest: 0 };
const report: Report = { versions: { a: '1' }, ways: [way], checks: 1, failures: [] };
const passes = (reports: readonly Report[]) => verdictsOn(reports).every(isMet);

it('passes only where every client ran and sent its images', () => {
  expect(passes([report, report])).toBe(true);
  expect(passes([report])).toBe(false);
  expect(passes([])).toBe(false);
  expect(passes([report, { ...report, ways: [] }])).toBe(false);
  expect(passes([report, { ...report, failures: ['a check'] }])).toBe(false);
  expect(passes([report, { ...report, ways: [{ ...way, others: 1 }] }])).toBe(false);
});
