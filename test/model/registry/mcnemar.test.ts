import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mcNemar } from '../../../src/model/registry/mcnemar.ts';
import { runs } from '../../long.ts';

/** The same sum in whole numbers: 2 · Σ C(n, k) / 2^n. */
function exactly(b: number, c: number): number {
  const n = BigInt(b + c);
  let [term, tail] = [1n, 0n];
  for (let k = 0n; k <= BigInt(Math.min(b, c)); k++) {
    tail += term;
    term = (term * (n - k)) / (k + 1n);
  }
  const p = Number((2n * tail * 10n ** 18n) / 2n ** n) / 1e18;
  return Math.min(1, p);
}

describe("McNemar's exact test", () => {
  it.each([
    [0, 0, 1],
    [5, 5, 1],
    [1, 0, 1],
    [0, 6, 2 / 2 ** 6],
    [10, 2, 0.038574], // 2 · (1 + 12 + 66) / 4096
    [2, 10, 0.038574],
    [59, 6, 7.4e-12],
  ])('%i against %i gives p = %d', (b, c, p) => {
    expect(mcNemar(b, c)).toBeCloseTo(p, 6);
  });

  it('agrees with the sum in whole numbers, and does not care which is first', () => {
    const count = fc.nat(700);
    fc.assert(
      fc.property(count, count, (b, c) => {
        expect(mcNemar(b, c)).toBeCloseTo(exactly(b, c), 9);
        expect(mcNemar(b, c)).toBe(mcNemar(c, b));
      }),
      { numRuns: runs(200) },
    );
  });

  it('stays a probability where its terms are too small for a double', () => {
    expect(mcNemar(5000, 5000)).toBe(1);
    expect(mcNemar(0, 10_000)).toBe(0);
    expect(mcNemar(4900, 5100)).toBeCloseTo(0.0466, 3);
  });
});
