/** Real MNIST for the tests, read once a file. */
import { readDataset } from '../../../src/model/data/built-in.ts';
import { recipes } from '../../../src/model/training/recipe.ts';
import type { TrainPlan } from '../../../src/model/training/training-run.ts';

export const mnist = await readDataset('mnist');

/** Twenty steps an epoch, of a second at most. */
export function smallPlan(change: Partial<TrainPlan> = {}): TrainPlan {
  return {
    ...recipes.default,
    dataset: 'mnist',
    corrections: false,
    seed: 7,
    trainImages: 320,
    testImages: 100,
    calibrationImages: 20,
    batchSize: 16,
    ...change,
  };
}

/** Three epochs of four steps, each of which beats a constant answer. */
export function tinyPlan(change: Partial<TrainPlan> = {}): TrainPlan {
  const rate = { schedule: 'constant', learningRate: 0.002 } as const;
  const size = { trainImages: 64, testImages: 50, batchSize: 16, outliers: 0.125, epochs: 3 };
  return smallPlan({ ...rate, ...size, seed: 5, ...change });
}
