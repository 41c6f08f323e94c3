/** What a plan does to a batch before a network sees it. */
import { randomFor } from '../../lib/random.ts';
import type { Variation } from '../data/batch.ts';
import type { DatasetDescription } from '../data/dataset.ts';
import type { DrawOutlier } from '../data/outliers/outliers.ts';
import type { TrainPlan } from './training-run.ts';

/** Each purpose and `moment` (such as a step) has a generator of its own, so that a resumed run draws the same. */
export function variationOf(
  plan: TrainPlan,
  { form, labels }: Pick<DatasetDescription, 'form' | 'labels'>,
  draw: DrawOutlier,
  moment: string,
): Variation {
  const generator = (purpose: string) => randomFor(plan.seed, `${purpose} ${moment}`);
  const outliers = plan.outliers > 0 ? Math.max(1, Math.round(plan.outliers * plan.batchSize)) : 0;
  return {
    distortions: plan.augment
      ? { random: generator('augment'), surroundings: form === 'ink' ? 'black' : 'edge' }
      : null,
    otherHands: plan.otherHands > 0 ? { share: plan.otherHands, random: generator('other hands') } : null,
    outliers:
      outliers > 0
        ? { count: outliers, classIndex: labels.length, draw, random: generator('outliers') }
        : null,
  };
}
