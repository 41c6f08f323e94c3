import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { permutation, randomFor, uniform } from '../../src/lib/random.ts';

describe('randomFor', () => {
  it('gives the same stream for the same seed and purpose', () => {
    expect(uniform(randomFor(1, 'a'), 50, 1)).toEqual(uniform(randomFor(1, 'a'), 50, 1));
  });

  it('gives other streams for another seed or purpose', () => {
    const stream = uniform(randomFor(1, 'a'), 50, 1);
    expect(uniform(randomFor(2, 'a'), 50, 1)).not.toEqual(stream);
    expect(uniform(randomFor(1, 'b'), 50, 1)).not.toEqual(stream);
  });
});

describe('uniform', () => {
  it('fills the whole range evenly', () => {
    const values = uniform(randomFor(3, 'range'), 20_000, 0.5);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.5);
    expect(mean).toBeCloseTo(0, 1);
    expect(square).toBeCloseTo(0.25 / 3, 2); // the variance of a uniform distribution
  });
});

describe('permutation', () => {
  it('holds every index once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.nat(), (count, seed) => {
        const order = permutation(randomFor(seed, 'p'), count);
        expect([...order].toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });

  it('leaves no bias on the first place', () => {
    const counts = Array.from({ length: 10 }, () => 0);
    for (let seed = 0; seed < 4000; seed++) counts[permutation(randomFor(seed, 'p'), 10)[0]!]!++;
    const chiSquared = counts.reduce((sum, count) => sum + (count - 400) ** 2 / 400, 0);
    expect(chiSquared).toBeLessThan(27.9); // 9 degrees of freedom: exceeded by one in a thousand
  });
});
