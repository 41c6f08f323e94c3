import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochOrder, examplesOf } from '../../../src/model/data/epoch-order.ts';

const split = (labels: readonly number[]) => {
  return { count: labels.length, images: new Uint8Array(), labels: Uint16Array.from(labels) };
};
const plan = { passes: 1, balance: false, shuffle: true, seed: 1 };
const countsOf = (values: Iterable<number>) => {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
};
const anyLabels = fc.array(fc.nat(6), { minLength: 1, maxLength: 200 });

describe('the examples of an epoch', () => {
  it('are all images, each as often as there are passes', () => {
    fc.assert(
      fc.property(anyLabels, fc.integer({ min: 1, max: 5 }), (labels, passes) => {
        const counts = countsOf(examplesOf(split(labels), { ...plan, passes }));
        expect([...counts.keys()].toSorted((a, b) => a - b)).toEqual([...labels.keys()]);
        expect(new Set(counts.values())).toEqual(new Set([passes]));
      }),
    );
  });

  it('have each label equally often where they are balanced, but no image more than ten times', () => {
    fc.assert(
      fc.property(anyLabels, (labels) => {
        const examples = examplesOf(split(labels), { ...plan, balance: true });
        const [own, balanced] = [countsOf(labels), countsOf([...examples].map((i) => labels[i]!))];
        const most = Math.max(...own.values());
        for (const [label, count] of own) expect(balanced.get(label)).toBe(Math.min(most, 10 * count));
        const repeats = [...countsOf(examples).values()];
        expect(Math.max(...repeats)).toBeLessThanOrEqual(10);
        expect(examples.length).toBeGreaterThanOrEqual(labels.length); // none is left out
        expect(new Set(examples).size).toBe(labels.length);
      }),
    );
  });
});

describe('the order of an epoch', () => {
  const examples = examplesOf(split([0, 1, 2, 0, 1, 2, 0, 1]), { ...plan, passes: 3 });

  it('is another one in each epoch, the same for the same seed, and has the same examples', () => {
    const order = (epoch: number, seed = 1) => [...epochOrder(examples, { ...plan, seed }, epoch)];
    expect(order(1)).toEqual(order(1));
    expect(order(1)).not.toEqual(order(2));
    expect(order(1)).not.toEqual(order(1, 2));
    expect(order(1).toSorted()).toEqual([...examples].toSorted());
  });

  it('is that of the images where they are not shuffled', () => {
    expect(epochOrder(examples, { ...plan, shuffle: false }, 3)).toEqual(examples);
  });
});
