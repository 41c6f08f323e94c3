/**
 * `npm run bench:datasets`: other people's labels, on the whole service. Pictures of characters in fonts are drawn, packed,
 * uploaded, imported, trained on with the recipe that the service chooses, and read by `/predict`; the fonts of the test
 * part are others than those of the training part. `fashion` trains on Fashion-MNIST, with three seeds.
 * Options: --only letters,few,hundred,fashion (all), --seeds 3, --json. Takes about 20 minutes on two cores, most of it `fashion`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type DrawnPicture, drawCharacters } from '../harness/drawn-characters.ts';
import { importArchive } from '../harness/import-archive.ts';
import { startService, trainToEnd } from '../harness/service.ts';
import { makeZip } from '../harness/zip.ts';
import { availableBuiltIns, builtInDirectory } from '../src/model/data/built-in.ts';
import { atEnd, interrupted, runBench } from './lib/ending.ts';
import { measure } from './lib/measure.ts';
import { installPeers, peerProgram } from './lib/peers.ts';
import { during } from './lib/progress.ts';
import { describeMachine, formatVerdicts, toJson, type Verdict } from './lib/report.ts';

const stages = ['letters', 'few', 'hundred', 'fashion'] as const;
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: stages.join(',') },
    seeds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const withinMs = 20 * 60_000;
const fashionRequest = {
  dataset: 'fashion-mnist',
  network: 'wide',
  epochs: 6,
  batchSize: 128,
  learningRate: 0.002,
};

const run: Record<(typeof stages)[number], (address: string) => Promise<Verdict[]>> = {
  letters: async (address) => {
    const labels = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ');
    const { accuracy, read } = await useOwn(address, {
      name: 'letters',
      labels,
      perLabel: 200,
      testShare: 0.2,
    });
    return [
      { what: '26 letters × 200: test accuracy', value: accuracy, bar: 95, better: 'more', unit: ' %' },
      { what: '26 letters × 200: read right by /predict', value: read, bar: 95, better: 'more', unit: ' %' },
    ];
  },
  few: async (address) => {
    const labels = ['A', 'E', 'K', 'R', 'S'];
    const used = await useOwn(address, { name: 'few', labels, perLabel: 20, testShare: 0.2 });
    return [
      { what: '5 labels × 20: test accuracy', value: used.accuracy, bar: 85, better: 'more', unit: ' %' },
      { what: '5 labels × 20: training', value: used.seconds, bar: 60, better: 'less', unit: ' s' },
    ];
  },
  hundred: async (address) => {
    const used = await useOwn(address, { name: 'hundred', labels: hundred, perLabel: 100, testShare: 0.2 });
    console.log(
      `100 labels × 100: ${used.accuracy.toFixed(2)} % of the test part, by /predict ${used.read.toFixed(2)} %`,
    );
    return [];
  },
  fashion: fashionBesidePyTorch,
};

/** Latin, Greek and Cyrillic characters and signs, none of which looks like another. */
const hundred = Array.from(
  'ABCDEFGHJKLMNPQRSTUVWXYZabdefghijmnqrtyΓΔΘΛΞΠΣΦΨΩαβγδεζηθλμξπσφψωБДЖЗИЛЦЧШЩЪЫЭЮЯ234567890!?%@#$€+=йђ',
).slice(0, 100);

await runBench(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'trainyard-bench-'));
  atEnd(() => rm(dataDir, { recursive: true, force: true, maxRetries: 3 }));
  const env = { FIRST_MODEL: 'false', TRAINER_NICENESS: '0' };
  const service = await startService(dataDir, env, undefined, interrupted);
  atEnd(async () => void (await service.end()));
  const verdicts: Verdict[] = [];
  for (const stage of stages.filter((name) => values.only.split(',').includes(name)))
    verdicts.push(...(await run[stage](service.address)));
  console.log(`\n${formatVerdicts(verdicts)}`);
  if (values.json) console.log(toJson({ machine: describeMachine() }, verdicts));
});

/** Trains with each seed, and PyTorch with the article's network beside it, in turns. */
async function fashionBesidePyTorch(address: string): Promise<Verdict[]> {
  if (!availableBuiltIns().includes('fashion-mnist')) {
    console.log('fashion-mnist is not here: apt-get install dataset-fashion-mnist');
    return [];
  }
  const peers = await installPeers();
  const ours: Trained[] = [];
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    const training = train(address, { ...fashionRequest, seed });
    ours.push(await during(`Fashion-MNIST, seed ${seed}`, training));
    console.log(`Fashion-MNIST, seed ${seed}: ${inWords(ours.at(-1)!)}`);
    if (peers.ok) await trainPyTorch(peers.python, seed);
  }
  if (!peers.ok) console.log('PyTorch is absent: nothing to compare with');
  const mean = ours.reduce((sum, { accuracy }) => sum + accuracy, 0) / ours.length;
  const longest = Math.max(...ours.map(({ seconds }) => seconds));
  return [
    { what: 'Fashion-MNIST: mean test accuracy', value: mean, bar: 92.5, better: 'more', unit: ' %' },
    { what: 'Fashion-MNIST: longest training', value: longest, bar: 300, better: 'less', unit: ' s' },
  ];
}

async function trainPyTorch(python: string, seed: number): Promise<void> {
  const allEpochs = ['--accuracy', '1']; // is never reached
  const args = ['--data', builtInDirectory('fashion-mnist'), '--seed', String(seed), ...allEpochs];
  const what = `PyTorch, the article's network at 0.001, seed ${seed}`;
  const { accuracies, trainingSeconds: seconds } = await measure<{
    accuracies: number[];
    trainingSeconds: number;
  }>(what, peerProgram(python, 'train.py', args));
  const best = Math.max(...accuracies);
  const last = { accuracy: 100 * accuracies.at(-1)!, seconds };
  console.log(`${what}: ${inWords(last)}; its best epoch ${(100 * best).toFixed(2)} %`);
}

const inWords = ({ accuracy, seconds }: Trained) => `${accuracy.toFixed(2)} % in ${seconds.toFixed(0)} s`;

type Own = {
  readonly name: string;
  readonly labels: readonly string[];
  readonly perLabel: number;
  readonly testShare: number;
};
type Used = { readonly accuracy: number; readonly read: number; readonly seconds: number }; // %, %, of training

/** Draws, uploads, imports, trains, and has the pictures of the test part read. */
async function useOwn(address: string, { name, ...drawing }: Own): Promise<Used> {
  const pictures = await during(`drawing ${name}`, drawCharacters({ ...drawing, seed: 1 }));
  const zip = makeZip(pictures.map(({ path, png }) => ({ name: path, data: png })));
  const { form, report } = await during(`importing ${name}`, importArchive(address, name, zip, withinMs));
  console.log(`${name}: ${report.accepted} of ${pictures.length} pictures accepted, form ${form}`);
  const { accuracy, seconds } = await during(`training on ${name}`, train(address, { dataset: name }));
  console.log(`${name}: ${accuracy.toFixed(2)} % of the test part after ${seconds.toFixed(0)} s of training`);
  const tests = pictures.filter(({ path }) => path.startsWith('test/'));
  const read = await during(`reading ${name}`, readAll(address, name, tests));
  return { accuracy, seconds, read };
}

type Trained = { readonly accuracy: number; readonly seconds: number }; // %, start to end

async function train(address: string, request: object): Promise<Trained> {
  const job = await trainToEnd(address, request, withinMs);
  const last = job.epochs.at(-1);
  if (job.status !== 'succeeded' || !last)
    throw new Error(`expected a training to succeed, got ${job.status}: ${job.error?.message}`);
  const seconds = (Date.parse(job.finishedAt!) - Date.parse(job.startedAt!)) / 1000;
  return { accuracy: 100 * last.testAccuracy, seconds };
}

/** Per cent of the pictures that the model reads right. */
async function readAll(address: string, model: string, pictures: readonly DrawnPicture[]): Promise<number> {
  let right = 0;
  for (const { label, png } of pictures) {
    const body = new Uint8Array(png);
    const response = await fetch(`${address}/predict?model=${model}`, { method: 'POST', body });
    const answer = (await response.json()) as { label?: string };
    if (answer.label === label) right++;
  }
  return (100 * right) / pictures.length;
}
