import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digitLabels } from '../../../src/model/data/labels.ts';
import { learningRateAt, recipeFor, recipeNameFor, recipes } from '../../../src/model/training/recipe.ts';

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

describe('a recipe for a data set', () => {
  const target = (train: number, form: 'ink' | 'picture' = 'ink', labels: readonly string[] = ['a', 'b']) => {
    return { labels, form, counts: { train, test: 100 } };
  };

  it('is "small" for few images unless another one is named', () => {
    expect([80, 19_999, 20_000, 60_000].map((train) => recipeNameFor(target(train)))).toEqual([
      'small',
      'small',
      'default',
      'default',
    ]);
  });

  it('goes through few images more often in an epoch, so that all epochs take about as long', () => {
    const passes = (train: number) => recipeFor('small', target(train)).passes;
    expect([1, 20, 80, 500, 4160, 8000, 100_000].map(passes)).toEqual([100, 100, 63, 10, 1, 1, 1]);
    expect(recipeFor('default', target(80)).passes).toBe(1);
  });

  it('takes all images of a set that has no more than the recipe wants', () => {
    const taken = [39_999, 40_000, 40_001].map((train) => recipeFor('fast', target(train)).trainImages);
    expect(taken).toEqual([null, null, 40_000]);
  });

  it('draws other hands for digits only, and outliers for ink only', () => {
    const drawn = (form: 'ink' | 'picture', labels: readonly string[]) => {
      const { otherHands, outliers } = recipeFor('default', target(60_000, form, labels));
      return { otherHands, outliers };
    };
    expect(drawn('ink', digitLabels)).toEqual({ otherHands: 0.05, outliers: 0.125 });
    expect(drawn('ink', ['a', 'b'])).toEqual({ otherHands: 0, outliers: 0.125 });
    expect(drawn('picture', ['a', 'b'])).toEqual({ otherHands: 0, outliers: 0 });
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
