/**
 * `npm run bench:accuracy`: trains the default recipe with several seeds on real MNIST and prints
 * each test accuracy, how far confidences are off, and the mean accuracy.
 */
import { parseArgs } from 'node:util';
import { readDataset } from '../src/model/data/built-in.ts';
import { openEngine } from '../src/model/engines/open-engine.ts';
import { type RecipeName, recipes } from '../src/model/training/recipe.ts';
import { train } from '../src/model/training/train.ts';

const { values } = parseArgs({
  options: {
    recipe: { type: 'string', default: 'default' },
    seeds: { type: 'string', default: '1,2,3' },
    set: { type: 'string', multiple: true, default: [] }, // --set epochs=2: overrides one value
    json: { type: 'boolean', default: false },
  },
});

const engine = await openEngine('auto');
console.log(`recipe ${values.recipe} on ${engine.device}`);
const dataset = await readDataset('mnist');
const overrides = Object.fromEntries(
  values.set.map((pair) => [pair.split('=')[0]!, Number(pair.split('=')[1])]),
);
const accuracies: number[] = [];
for (const seed of values.seeds.split(',').map(Number)) {
  const recipe = { ...recipes[values.recipe as RecipeName], ...overrides };
  const plan = { ...recipe, dataset: 'mnist', seed, testImages: null, corrections: false } as const;
  let last = Number.NaN;
  const startedAt = performance.now();
  const outcome = await train(plan, dataset, {
    onProgress: () => {},
    onPosition: async () => {},
    onEpoch: async ({ epoch, testAccuracy }, _weights, { evaluation }) => {
      last = testAccuracy;
      const error = (100 * (evaluation.reliability?.ece ?? Number.NaN)).toFixed(2);
      console.log(
        `  seed ${seed}, epoch ${epoch}: ${(100 * testAccuracy).toFixed(2)} %, calibration error ${error} %`,
      );
    },
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const result = outcome.status === 'failed' ? outcome.code : `${(100 * last).toFixed(2)} %`;
  console.log(`seed ${seed}: ${outcome.status}, ${result}, after ${seconds} s`);
  if (outcome.status === 'succeeded') accuracies.push(last);
}
const mean = accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length;
const least = Math.min(...accuracies);
console.log(
  `of ${accuracies.length} that succeeded: mean ${(100 * mean).toFixed(2)} %, least ${(100 * least).toFixed(2)} %`,
);
if (values.json) console.log(JSON.stringify({ recipe: values.recipe, engine, accuracies, mean, least }));
