import { describe, expect, it } from 'vitest';
import { randomFor } from '../../../src/lib/random.ts';
import { takeBatch, type Variation } from '../../../src/model/data/batch.ts';
import { digitLabels } from '../../../src/model/data/labels.ts';
import { outliersFor } from '../../../src/model/data/outliers/outliers.ts';
import { mnist } from './mnist.ts';

const order = Uint32Array.from({ length: 8 }, (_, index) => index);
const made = (): Variation => ({
  otherHands: { share: 1, random: randomFor(1, 'other hands') },
  outliers: { count: 4, classIndex: 10, draw: outliersFor(digitLabels), random: randomFor(1, 'outliers') },
});

describe('a batch', () => {
  it('distorts made images as it does the others, so that none is told by how sharp it is', () => {
    const plain = takeBatch(mnist.train, order, 0, 8, made());
    const distorted = takeBatch(mnist.train, order, 0, 8, {
      ...made(),
      distortions: { random: randomFor(1, 'augment'), surroundings: 'black' },
    });
    const [before, after] = [plain.images.dataSync(), distorted.images.dataSync()];
    expect(distorted.labels.dataSync()).toEqual(plain.labels.dataSync());
    for (let i = 0; i < 12; i++) {
      const image = (values: typeof before) => values.slice(i * 784, (i + 1) * 784).join();
      expect(image(after)).not.toBe(image(before));
    }
  });
});
