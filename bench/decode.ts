/**
 * `npm run bench:decode`: how long 12-megapixel photos take from their bytes to the 28×28 digit, one after the other on one
 * core, by format, and how much memory the process takes meanwhile. CPU time counts, so that a busy machine matters little.
 * `--times=5`
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readSplit } from '../src/model/data/built-in.ts';
import type { Decoding } from './decode/decoding.ts';
import { heldToBar, type Kind, kinds, takePhoto } from './decode/photos.ts';
import { measure, type Program, tsProgram } from './lib/measure.ts';
import { describeMachine, formatTable, formatVerdicts, toJson, type Verdict } from './lib/report.ts';
import { median } from './lib/statistics.ts';

const bars = { ms: 120, megabytes: 150 };
const { values } = parseArgs({ options: { times: { type: 'string', default: '5' } } });
const [many, atATime] = [16, 4]; // photos; the API has that many large ones in the predictor

const photo = await takePhoto(await readSplit('mnist', 'test'), 1);
const folder = await mkdtemp(join(tmpdir(), 'trainyard-photos-'));
const results: { kind: string; bytes: number; decoding: Decoding }[] = [];
const verdicts: Verdict[] = [];
try {
  for (const kind of Object.keys(kinds) as Kind[]) await measureKind(kind);
} finally {
  await rm(folder, { recursive: true });
}
console.log(formatTable([['', 'file', 'CPU', 'time', 'memory', ''], ...results.map(rowOf)]));
console.log(formatVerdicts(verdicts));
console.log(toJson({ machine: describeMachine(), results }, verdicts));

async function measureKind(kind: Kind): Promise<void> {
  const bytes = await kinds[kind](photo.clone()).toBuffer();
  const path = join(folder, 'photo');
  await writeFile(path, bytes);
  const one = tsProgram('decode/decoding.ts', [path, values.times, '1']);
  const decoding = await measure<Decoding>(kind, onOneCore(one));
  results.push({ kind, bytes: bytes.length, decoding });
  if (!heldToBar.includes(kind)) return;
  verdicts.push({ what: kind, value: median(decoding.cpuMs), bar: bars.ms, better: 'less', unit: ' ms' });
  const all = tsProgram('decode/decoding.ts', [path, String(many), String(atATime)]);
  const together = await measure<Decoding>(`${atATime} at a time`, all);
  results.push({ kind: `${kind}, ${atATime} at a time`, bytes: bytes.length, decoding: together });
  for (const { growth } of [decoding, together])
    if (growth !== null)
      verdicts.push({ what: kind, value: growth, bar: bars.megabytes, better: 'less', unit: ' MB' });
}

/** Where the system has `taskset`; elsewhere the figures are of all cores. */
function onOneCore({ program, args }: Program): Program {
  const has = spawnSync('taskset', ['--version']).status === 0;
  return has ? { program: 'taskset', args: ['-c', '0', program, ...args] } : { program, args };
}

function rowOf({
  kind,
  bytes,
  decoding: { cpuMs, ms, growth, outcome },
}: (typeof results)[number]): string[] {
  const megabytes = growth === null ? '?' : `+${growth.toFixed(0)} MB`;
  const inMs = (times: readonly number[]) => `${median(times).toFixed(0)} ms`;
  const cpu = kind in kinds ? inMs(cpuMs) : ''; // of several at a time, each would count the others'
  return [kind, `${(bytes / 1e6).toFixed(1)} MB`, cpu, inMs(ms), megabytes, outcome];
}
