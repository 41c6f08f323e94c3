/** How often the gate refuses a version that is as good as the champion: the same training with another seed. */
import { readDataset } from '../../src/model/data/built-in.ts';
import { openEngine } from '../../src/model/engines/open-engine.ts';
import { comparisonOf, isSignificantlyWorse } from '../../src/model/registry/gate.ts';
import type { Correctness } from '../../src/model/training/correctness.ts';
import { recipes } from '../../src/model/training/recipe.ts';
import { train } from '../../src/model/training/train.ts';
import { during } from '../lib/progress.ts';

/** Trains `pairs` pairs, each network by the default recipe, half a minute each; returns how many would be refused. */
export async function countRefused(pairs: number): Promise<number> {
  await openEngine('auto');
  const dataset = await readDataset('mnist');
  const testedWith = async (seed: number): Promise<Correctness> => {
    const plan = {
      ...recipes.default,
      dataset: 'mnist',
      seed,
      testImages: null,
      corrections: false,
    } as const;
    let result: Correctness | null = null;
    await train(plan, dataset, {
      onProgress: () => {},
      onPosition: async () => {},
      onEpoch: async (_metrics, _weights, { correctness }) => void (result = correctness),
    });
    return result!;
  };
  let refused = 0;
  for (let pair = 1; pair <= pairs; pair++) {
    const both = (async () => [await testedWith(2 * pair), await testedWith(2 * pair + 1)] as const)();
    const [champion, candidate] = await during(`training pair ${pair} of ${pairs}`, both);
    const comparison = comparisonOf(1, candidate, champion);
    const { accuracy, accuracyAgainst, onlyCandidate, onlyChampion, p } = comparison;
    const isRefused = isSignificantlyWorse(comparison);
    if (isRefused) refused++;
    const shares = [accuracy, accuracyAgainst]
      .map((share) => `${(100 * share).toFixed(2)} %`)
      .join(' against ');
    console.log(
      `pair ${pair}: ${shares}, ${onlyCandidate} and ${onlyChampion} images, p = ${p.toPrecision(2)}${isRefused ? ', refused' : ''}`,
    );
  }
  return refused;
}
