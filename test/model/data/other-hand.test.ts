import { describe, expect, it } from 'vitest';
import { randomFor } from '../../../src/lib/random.ts';
import { imageAt } from '../../../src/model/data/dataset.ts';
import { redraw } from '../../../src/model/data/other-hand.ts';
import { mnist } from './mnist.ts';

const exampleOf = (digit: number) => imageAt(mnist.train, mnist.train.labels.indexOf(digit));

function redrawn(digit: number, seed: number): Uint8Array {
  const target = new Uint8Array(784);
  redraw(exampleOf(digit), digit, target, randomFor(seed, 'test'));
  return target;
}

describe('redraw', () => {
  it.each([1, 2, 4, 7, 9])('draws another %i each time, the same from the same generator', (digit) => {
    const images = Array.from({ length: 30 }, (_, seed) => redrawn(digit, seed));
    expect(new Set(images.map(String)).size).toBe(30);
    expect(images[7]).toEqual(redrawn(digit, 7));
    for (const image of images) expect(Math.max(...image)).toBeGreaterThan(200);
  });

  it.each([0, 3, 5, 6, 8])('leaves a %i as it is: no way of writing it is missing from MNIST', (digit) => {
    expect(redrawn(digit, 1)).toEqual(exampleOf(digit));
  });
});
