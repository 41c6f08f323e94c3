/** Training on few images with labels that are no digits. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Dataset, firstOf, type Split } from '../../../src/model/data/dataset.ts';
import { openEngine } from '../../../src/model/engines/open-engine.ts';
import { recipeFor } from '../../../src/model/training/recipe.ts';
import { train } from '../../../src/model/training/train.ts';
import type { RunPosition, TestResults, TrainPlan } from '../../../src/model/training/training-run.ts';
import { isLong } from '../../long.ts';
import { mnist } from '../data/mnist.ts';

const labels = ['loop', 'stroke', 'other'];
/** 0, 6, 8 and 9 have a loop; 1 and 7 are strokes. */
const shapes = [0, 1, 2, 2, 2, 2, 0, 1, 0, 0];
const shaped = (split: Split, count: number): Split => {
  const { images, labels: digits } = firstOf(split, count);
  return { count, images, labels: Uint16Array.from(digits, (digit) => shapes[digit]!) };
};
const [trainPart, testPart] = [shaped(mnist.train, 150), shaped(mnist.test, 200)];
const dataset: Dataset = {
  name: 'shapes',
  form: 'ink',
  labels,
  counts: { train: 150, test: 200 },
  testSet: 'the test’s',
  checksums: {},
  train: trainPart,
  test: testPart,
};
const plan: TrainPlan = {
  ...recipeFor('small', dataset),
  network: {
    layers: [
      { kind: 'convolution', filters: 8, kernelSize: 5, pool: 2 },
      { kind: 'dense', units: 16 },
    ],
  },
  dataset: 'shapes',
  corrections: false,
  seed: 1,
  testImages: null,
  epochs: 6,
  passes: isLong ? 12 : 6,
  learningRate: 0.004,
  patience: 2,
};

/** Ends by its patience. */
const untilLearnt = { learningRate: 0.01, epochs: 40, passes: 1 };
let whole: Awaited<ReturnType<typeof run>>;

beforeAll(async () => {
  await openEngine('auto');
  whole = await run(untilLearnt);
});

type Published = { readonly epoch: number; readonly accuracy: number; readonly tested: TestResults };

async function run(change: Partial<TrainPlan> = {}, from: RunPosition | null = null, stopAfter?: number) {
  const published: Published[] = [];
  const stop = new AbortController();
  let weights: Float32Array | null = null;
  let position: RunPosition | null = null;
  const hooks = {
    onProgress: () => {},
    onEpoch: async (
      { epoch, testAccuracy: accuracy }: { epoch: number; testAccuracy: number },
      current: Float32Array,
      tested: TestResults,
    ) => {
      published.push({ epoch, accuracy, tested });
      weights = current.slice();
    },
    onPosition: async (current: RunPosition) => {
      position = structuredClone(current);
      if (current.epoch === stopAfter) stop.abort();
    },
  };
  const outcome = await train({ ...plan, ...change }, dataset, hooks, { signal: stop.signal, from });
  return { outcome, published, weights, position: position as RunPosition | null };
}

describe('a small set', () => {
  it('is learnt, and evaluated by its own labels', async () => {
    const { outcome, published } = await run();
    const { accuracy, tested } = published.at(-1)!;
    expect(outcome).toEqual({ status: 'succeeded' });
    expect(accuracy).toBeGreaterThan(0.75);
    const { confusion, misread, labels: named } = tested.evaluation;
    expect(named).toEqual(labels);
    expect(confusion!.map((row) => row.length)).toEqual([3, 3, 3]);
    for (const { label, digit } of misread) expect(Math.max(label, digit)).toBeLessThan(3);
    expect(tested.calibration).toMatchObject({ images: 30 }); // a fifth of its training images
  });

  it('publishes only epochs that are better than all before, and ends when it learns no more', async () => {
    const { published, position } = whole;
    const epochs = published.map(({ epoch }) => epoch);
    expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
    expect(position!.epoch - 1 - epochs.at(-1)!).toBe(plan.patience); // it waited for so many epochs, and ended
    expect(position!.epoch).toBeLessThan(40);
    expect(position!.best!.epoch).toBe(epochs.at(-1));
  });

  it('ends with the same bytes when it is stopped and taken up again', async () => {
    const last = whole.position!.epoch;
    for (const stopAfter of [2, last - 1]) {
      const first = await run(untilLearnt, null, stopAfter);
      const second = await run(untilLearnt, first.position);
      expect(second.outcome).toEqual({ status: 'succeeded' });
      expect(second.position!.epoch).toBe(last);
      const epochs = [...first.published, ...second.published].map(({ epoch }) => epoch);
      expect(epochs).toEqual(whole.published.map(({ epoch }) => epoch));
      expect(second.weights ?? first.weights).toEqual(whole.weights);
    }
  });
});
