/** Training on corrections, on real images and the engine that is there soonest. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { CorrectionSet } from '../../../src/model/corrections/correction-set.ts';
import type { Split } from '../../../src/model/data/dataset.ts';
import { openEngine } from '../../../src/model/engines/open-engine.ts';
import type { Calibration } from '../../../src/model/training/calibration.ts';
import { countRight } from '../../../src/model/training/measure-corrections.ts';
import { train } from '../../../src/model/training/train.ts';
import type { TestResults } from '../../../src/model/training/training-run.ts';
import { isLong } from '../../long.ts';
import { mnist, smallPlan } from '../data/mnist.ts';

beforeAll(() => openEngine('auto'));

/** Squares: large ones are said to be a 3, small ones to be none of the labels. */
function squares(from: number, count: number): Split {
  const images = new Uint8Array(count * 784);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const isLarge = i % 2 === 0;
    const [start, end] = isLarge
      ? [4 + ((from + i) % 3), 22 + ((from + i) % 4)]
      : [11, 15 + ((from + i) % 3)];
    for (let row = start; row < end; row++)
      images.fill(255, i * 784 + row * 28 + start, i * 784 + row * 28 + end);
    labels[i] = isLarge ? 3 : 10;
  }
  return { count, images, labels };
}

async function corrected(corrections: CorrectionSet | null, change = {}): Promise<TestResults> {
  let results: TestResults | null = null;
  await train(
    smallPlan({
      network: isLong ? 'article' : 'small',
      trainImages: 2000,
      calibrationImages: 200,
      ...change,
    }),
    mnist,
    {
      onProgress: () => {},
      onPosition: async () => {},
      onEpoch: async (_metrics, _weights, tested) => void (results = tested),
    },
    { corrections },
  );
  return results!;
}

describe('a training on corrections', () => {
  it('learns from them, and tells how it reads those that were held out', async () => {
    const set = { sha256: 'a'.repeat(64), train: squares(0, 8), heldOut: squares(1, 2) };
    const { evaluation } = await corrected(set);
    expect(evaluation.corrections).toEqual({ sha256: set.sha256, trained: 8, heldOut: 2, right: 2 });
    const untrained = { ...set, train: { count: 0, images: new Uint8Array(), labels: new Uint8Array() } };
    const without = (await corrected(untrained)).evaluation.corrections!;
    expect([without.trained, without.right]).toEqual([0, expect.toSatisfy((right: number) => right < 2)]);
    expect((await corrected(null, { trainImages: 500 })).evaluation).not.toHaveProperty('corrections');
  });

  it('counts only labels where the network does not learn what is none of them', async () => {
    const set = { sha256: 'a'.repeat(64), train: squares(0, 8), heldOut: squares(1, 2) };
    const { evaluation } = await corrected(set, { outliers: 0 });
    expect(evaluation.corrections).toEqual({ sha256: set.sha256, trained: 4, heldOut: 1, right: 1 });
  });
});

describe('countRight', () => {
  const logits = Float32Array.from([
    ...Array.from({ length: 10 }, (_, digit) => (digit === 3 ? 8 : -8)), // surely a 3
    ...Array(10).fill(-8), // nothing
  ]);
  const calibration = { threshold: 0.5 } as Calibration;

  it('wants the label, or unknown where it is none of them', () => {
    expect(countRight(logits, Uint8Array.from([3, 10]), calibration)).toBe(2);
    expect(countRight(logits, Uint8Array.from([10, 3]), calibration)).toBe(0);
    expect(countRight(logits, Uint8Array.from([3, 0]), calibration)).toBe(1); // a label, but called unknown
  });

  it('goes by the label alone where no version can say unknown', () => {
    expect(countRight(logits, Uint8Array.from([3, 0]), null)).toBe(2);
  });
});
