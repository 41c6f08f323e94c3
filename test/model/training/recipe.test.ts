import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { learningRateAt, recipes } from '../../../src/model/training/recipe.ts';

describe('recipe "article"', () => {
  it('is what the article trains', () => {
    expect(recipes.article).toMatchObject({
      network: 'article',
      epochs: 9,
      batchSize: 64,
      learningRate: 0.01,
      schedule: 'constant',
      labelSmoothing: 0,
      shuffle: false,
    });
  });
});

describe('every other recipe', () => {
  it("shuffles, and trains the article's network", () => {
    for (const { network, shuffle } of [recipes.default, recipes.fast, recipes.accurate]) {
      expect({ network, shuffle }).toEqual({ network: 'article', shuffle: true });
    }
  });
});

describe('learningRateAt', () => {
  it('stays the same when constant', () => {
    expect([0, 400, 899].map((step) => learningRateAt(recipes.article, step, 900))).toEqual([
      0.01, 0.01, 0.01,
    ]);
  });

  it('rises to the peak at the end of the warm-up and falls to nearly nothing', () => {
    const rates = Array.from({ length: 1000 }, (_, step) => learningRateAt(recipes.default, step, 1000));
    const peak = rates.indexOf(Math.max(...rates));
    expect(peak).toBeGreaterThanOrEqual(198);
    expect(peak).toBeLessThanOrEqual(201);
    expect(rates[peak]).toBeCloseTo(0.0035, 6);
    expect(rates[0]).toBeLessThan(1e-6);
    expect(rates.at(-1)).toBeLessThan(1e-6);
  });

  it('is positive and never above the peak, for any run', () => {
    const anyRun = fc.record({
      steps: fc.integer({ min: 1, max: 5000 }),
      warmup: fc.double({ min: 0, max: 0.9, noNaN: true }),
      at: fc.double({ min: 0, max: 0.999, noNaN: true }),
    });
    fc.assert(
      fc.property(anyRun, ({ steps, warmup, at }) => {
        const rate = learningRateAt({ ...recipes.default, warmup }, Math.floor(at * steps), steps);
        expect(rate).toBeGreaterThan(0);
        expect(rate).toBeLessThanOrEqual(recipes.default.learningRate);
      }),
    );
  });
});
