/**
 * Trainyard's own training step, measured by itself: prints one JSON line with its rate over a number of batches, or
 * with the seconds of training that a recipe takes to a test accuracy.
 */
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { permutation, randomFor } from '../src/lib/random.ts';
import { takeBatch } from '../src/model/data/batch.ts';
import { readDataset } from '../src/model/data/built-in.ts';
import { firstOf } from '../src/model/data/dataset.ts';
import type { EnginePreference } from '../src/model/engines/engine.ts';
import { openEngine } from '../src/model/engines/open-engine.ts';
import { buildNetwork, initialWeights, parameterCount } from '../src/model/network/network.ts';
import type { TrainState } from '../src/model/network/operations.ts';
import { disposeState, initialState, trainStep } from '../src/model/network/step.ts';
import { evaluate } from '../src/model/training/evaluate.ts';
import { type RecipeName, recipes } from '../src/model/training/recipe.ts';
import { train } from '../src/model/training/train.ts';
import type { TrainHooks } from '../src/model/training/training-run.ts';
import { fingerprint } from './lib/fingerprint.ts';

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'tensorflow' },
    'batch-size': { type: 'string', default: '64' },
    batches: { type: 'string' },
    accuracy: { type: 'string' },
    recipe: { type: 'string', default: 'default' },
    seed: { type: 'string', default: '1' },
  },
});

const engine = await openEngine(values.engine as EnginePreference);
const dataset = await readDataset('mnist');
const network = buildNetwork('article', 10);
const warmUpSteps = 50; // V8 compiles the loop, libraries their kernels, threads start; the peers get as many
const result = values.batches
  ? await measureRate(Number(values['batch-size']), Number(values.batches))
  : await timeToAccuracy(values.recipe as RecipeName, Number(values.seed), Number(values.accuracy));
const task = {
  version: engine.device,
  parameters: parameterCount(network),
  images: dataset.train.count,
  sha256: fingerprint(dataset.train),
};
console.log(JSON.stringify({ ...result, ...task }));

/** As a job does it: batches in shuffled order, made anew for each step. The accuracy is of 1,000 test images. */
async function measureRate(batchSize: number, batches: number) {
  const order = permutation(randomFor(1, 'shuffle epoch 1'), dataset.train.count);
  const starts = Math.floor(dataset.train.count / batchSize);
  let state = initialState(initialWeights(network, 1));
  let loss = tf.scalar(0); // of the newest step
  const step = (index: number) => {
    const batch = takeBatch(dataset.train, order, (index % starts) * batchSize, batchSize);
    const next = trainStep(network, state, batch, { learningRate: 0.001, labelSmoothing: 0, rejects: false });
    replaceState(next.state);
    loss.dispose();
    loss = next.loss;
    batch.images.dispose();
    batch.labels.dispose();
  };
  const replaceState = (next: TrainState) => {
    disposeState(state);
    state = next;
  };
  for (let index = 0; index < warmUpSteps; index++) step(index);
  await loss.data(); // waits for the device
  const startedAt = performance.now();
  for (let index = 0; index < batches; index++) step(index);
  await loss.data();
  const seconds = (performance.now() - startedAt) / 1000;
  const { accuracy } = await evaluate(network, state.weights, firstOf(dataset.test, 1000));
  return { imagesPerSecond: (batches * batchSize) / seconds, accuracy };
}

/** Counts from the run's start (the engine's warm-up too) to each epoch's last step; evaluations are counted apart. */
async function timeToAccuracy(recipe: RecipeName, seed: number, wanted: number) {
  const plan = { ...recipes[recipe], dataset: 'mnist', seed, testImages: null, corrections: false } as const;
  const enough = new AbortController();
  const accuracies: number[] = [];
  let [trainedMs, evaluatedMs] = [0, 0];
  let since = performance.now(); // the beginning of what is under way
  let seconds: number | null = null;
  let epoch = 1;
  const lap = () => {
    const ms = performance.now() - since;
    since += ms;
    return ms;
  };
  const hooks: TrainHooks = {
    onProgress: () => {
      trainedMs += lap();
    },
    onEpoch: async ({ testAccuracy }) => {
      evaluatedMs += lap();
      accuracies.push(testAccuracy);
      if (testAccuracy < wanted || seconds !== null) return;
      seconds = trainedMs / 1000;
      enough.abort();
    },
    onPosition: async (position) => {
      if (position.epoch === epoch) trainedMs += lap();
      else evaluatedMs += lap(); // of an epoch that was no better than one fixed answer
      epoch = position.epoch;
    },
  };
  await train(plan, dataset, hooks, { signal: enough.signal });
  return { seconds, evaluationSeconds: evaluatedMs / 1000, accuracies };
}
