/** How much a training computes, to tell how long it will take from how long others took. */
import type { DatasetDescription } from '../data/dataset.ts';
import { populationImages } from '../network/fold-batch-norm.ts';
import { multiplications, type Network } from '../network/network.ts';
import { isNormalised } from '../network/specification.ts';
import { evaluationCost } from './throughput.ts';
import type { TrainPlan } from './training-run.ts';

type WorkPlan = Pick<TrainPlan, 'passes' | 'outliers' | 'trainImages' | 'testImages' | 'calibrationImages'>;

/** Multiplications of one epoch, training and evaluation. With `balance`, an epoch may take longer than this. */
export function workOfEpoch(
  plan: WorkPlan,
  network: Network,
  { counts }: Pick<DatasetDescription, 'counts'>,
): number {
  const trained =
    Math.min(plan.trainImages ?? counts.train, counts.train) * plan.passes * (1 + plan.outliers);
  const tested = Math.min(plan.testImages ?? counts.test, counts.test);
  const calibrated = Math.min(plan.calibrationImages, counts.train >> 1);
  const population = network.layers.some(isNormalised) ? Math.min(populationImages, trained) : 0;
  return multiplications(network) * 3 * (trained + evaluationCost * (tested + calibrated + population));
}
