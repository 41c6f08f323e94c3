/**
 * `npm run bench:corrections`: what corrections are worth. A model reads the digits of writers that it has not seen (UCI,
 * Debian's python3-sklearn); those that it gets wrong, or is not sure of, are corrected, as people would; the same training
 * learns from them. Prints how both read the corrections that were held out, the other digits, and MNIST's test images.
 * Options: --recipe NAME, --seed N, --corrections N (at most), --json.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type CorrectionSet, readSet } from '../src/model/corrections/correction-set.ts';
import { Corrections } from '../src/model/corrections/corrections.ts';
import { readDataset } from '../src/model/data/built-in.ts';
import { imageSize, type Split } from '../src/model/data/dataset.ts';
import { digitLabels } from '../src/model/data/labels.ts';
import { openEngine } from '../src/model/engines/open-engine.ts';
import { readDigit } from '../src/model/image/read-digit.ts';
import { buildNetwork } from '../src/model/network/network.ts';
import { answerFrom } from '../src/model/serving/answer.ts';
import * as tf from '../src/model/tfjs.ts';
import type { Calibration } from '../src/model/training/calibration.ts';
import { readLogits } from '../src/model/training/logits.ts';
import { countRight } from '../src/model/training/measure-corrections.ts';
import { type RecipeName, recipes } from '../src/model/training/recipe.ts';
import { train } from '../src/model/training/train.ts';
import { runBench } from './lib/ending.ts';
import { otherWriters } from './trust/other-writers.ts';

type Trained = {
  readonly weights: Float32Array;
  readonly calibration: Calibration | null;
  readonly testAccuracy: number;
};

const { values } = parseArgs({
  options: {
    recipe: { type: 'string', default: 'default' },
    seed: { type: 'string', default: '1' },
    corrections: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
});
const recipe = recipes[values.recipe as RecipeName];
const network = buildNetwork(recipe.network, 10);

await runBench(async () => {
  const digits = await readDigits();
  console.error(
    `${digits.count} digits of other writers; the first training, on ${(await openEngine('auto')).device}`,
  );
  const before = await trained(null);
  const doubtful = (await doubtfulOf(before, digits)).slice(0, Number(values.corrections));
  const set = await frozen(chosen(digits, doubtful));
  console.error(`${doubtful.length} corrections; the second training`);
  const after = await trained(set);
  const rest = new Set(doubtful);
  const others = chosen(
    digits,
    [...digits.labels.keys()].filter((i) => !rest.has(i)),
  );
  const rows = [
    [
      'corrections held out',
      await right(before, set.heldOut),
      await right(after, set.heldOut),
      set.heldOut.count,
    ],
    ['other digits of these writers', await right(before, others), await right(after, others), others.count],
  ] as const;
  const test = { before: before.testAccuracy, after: after.testAccuracy };
  if (values.json) return console.log(JSON.stringify({ corrections: doubtful.length, rows, test }));
  for (const [name, first, second, count] of rows)
    console.log(`${name}: ${first} of ${count} right, then ${second} (${percent(second / count)})`);
  console.log(`MNIST's test images: ${percent(test.before)}, then ${percent(test.after)}`);
});

/** What the predictor makes of each. */
async function readDigits(): Promise<Split> {
  const pictures = await otherWriters();
  if (!pictures) throw new Error('expected the UCI digits; install Debian’s package python3-sklearn');
  const images = new Uint8Array(pictures.length * imageSize);
  for (const [i, { bytes }] of pictures.entries()) {
    const read = await readDigit(bytes);
    if (!read.ok) throw new Error(`digit ${i}: ${read.message}`);
    images.set(read.pixels, i * imageSize);
  }
  return { count: pictures.length, images, labels: Uint8Array.from(pictures, ({ label }) => label) };
}

async function trained(corrections: CorrectionSet | null): Promise<Trained> {
  const dataset = await readDataset('mnist');
  const own = { dataset: 'mnist', seed: Number(values.seed), testImages: null } as const;
  const plan = { ...recipe, ...own, corrections: corrections ? corrections.sha256 : (false as const) };
  let result: Trained | null = null;
  const hooks = {
    onProgress: () => {},
    onPosition: async () => {},
    onEpoch: async (
      { testAccuracy }: { testAccuracy: number },
      weights: Float32Array,
      { calibration = null }: { calibration?: Calibration | null },
    ) => void (result = { weights: weights.slice(), calibration, testAccuracy }),
  };
  await train(plan, dataset, hooks, { corrections });
  if (result === null) throw new Error('the training came to nothing; try another seed');
  return result;
}

/** Where it is wrong or not sure: what a person would look at. */
async function doubtfulOf({ weights, calibration }: Trained, digits: Split): Promise<number[]> {
  const logits = await logitsOf(weights, digits);
  return [...digits.labels.keys()].filter((i) => {
    const { digit, verdict } = answerFrom(
      logits.subarray(10 * i, 10 * (i + 1)),
      { labels: digitLabels, calibration },
      [],
    );
    return digit !== digits.labels[i] || verdict !== 'known';
  });
}

async function frozen(digits: Split): Promise<CorrectionSet> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trainyard-bench-'));
  try {
    const corrections = new Corrections(dataDir);
    const answer = { version: 1, label: '0', confidence: 0, verdict: 'unsure' };
    for (const [i, label] of digits.labels.entries()) {
      const pixels = digits.images.slice(i * imageSize, (i + 1) * imageSize);
      await corrections.add({ model: 'mnist', label: String(label), answer, pixels });
    }
    return await readSet(dataDir, (await corrections.freeze('mnist', async () => new Set()))!, digitLabels);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

function chosen({ images, labels }: Split, indices: readonly number[]): Split {
  const picked = new Uint8Array(indices.length * imageSize);
  for (const [place, i] of indices.entries())
    picked.set(images.subarray(i * imageSize, (i + 1) * imageSize), place * imageSize);
  return { count: indices.length, images: picked, labels: Uint8Array.from(indices, (i) => labels[i]!) };
}

async function right({ weights, calibration }: Trained, digits: Split): Promise<number> {
  return countRight(await logitsOf(weights, digits), digits.labels, calibration);
}

async function logitsOf(weights: Float32Array, digits: Split): Promise<Float32Array> {
  const tensor = tf.tensor1d(weights);
  try {
    return await readLogits(network, tensor, digits);
  } finally {
    tensor.dispose();
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
