/**
 * `npm run bench:batch-norm`: what `batchNorm` is worth here. The networks `wide` and `wide-normalised` train on the first
 * images of Fashion-MNIST, by the recipe `default` at batch 128 and rate 0.002, and read all test images.
 * Options: --seeds 2, --images 2000,10000, --augment (distorted images). Takes about ten minutes on two cores.
 */
import { parseArgs } from 'node:util';
import { readDataset } from '../src/model/data/built-in.ts';
import type { Dataset } from '../src/model/data/dataset.ts';
import { openEngine } from '../src/model/engines/open-engine.ts';
import type { NetworkName } from '../src/model/network/specification.ts';
import { recipeFor } from '../src/model/training/recipe.ts';
import { train } from '../src/model/training/train.ts';
import type { TrainPlan } from '../src/model/training/training-run.ts';
import { runBench } from './lib/ending.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2' },
    images: { type: 'string', default: '2000,10000' },
    augment: { type: 'boolean', default: false },
  },
});
const imagesShown = 40_000; // at least: of 2,000 images each one 20 times

const networks = ['wide', 'wide-normalised'] as const;

await runBench(async () => {
  const { device } = await openEngine('auto');
  const dataset = await readDataset('fashion-mnist');
  console.error(`on ${device}`);
  for (const images of values.images.split(',').map(Number))
    for (const network of networks) {
      const accuracies: number[] = [];
      const began = performance.now();
      for (let seed = 1; seed <= Number(values.seeds); seed++)
        accuracies.push(100 * (await accuracyOf(planFor(dataset, network, images, seed), dataset)));
      const seconds = (performance.now() - began) / 1000 / accuracies.length;
      const mean = accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / accuracies.length;
      const each = accuracies.map((accuracy) => accuracy.toFixed(2)).join(', ');
      console.log(
        `${images} images, ${network}: ${mean.toFixed(2)} % (${each}), ${seconds.toFixed(0)} s each`,
      );
    }
});

/** One epoch of many passes, so that the test images are read once. */
function planFor(dataset: Dataset, network: NetworkName, images: number, seed: number): TrainPlan {
  return {
    ...recipeFor('default', dataset),
    network,
    passes: Math.max(6, Math.round(imagesShown / images)),
    batchSize: 128,
    learningRate: 0.002,
    augment: values.augment,
    trainImages: images,
    dataset: dataset.name,
    seed,
    testImages: null,
    corrections: false,
  };
}

async function accuracyOf(plan: TrainPlan, dataset: Dataset): Promise<number> {
  let accuracy = Number.NaN;
  const hooks = {
    onProgress: () => {},
    onPosition: async () => {},
    onEpoch: async ({ testAccuracy }: { readonly testAccuracy: number }) => {
      accuracy = testAccuracy;
    },
  };
  await train(plan, dataset, hooks);
  return accuracy;
}
