/**
 * `npm run bench:tests -- [part of a path …]`: CPU seconds of each test file, its processes included, the dearest first,
 * and the seconds it lasts. Files run one by one, so the figures of CPU hold on a busy machine too. Needs Linux and Python.
 * Option: --json.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { interrupted, runBench } from './lib/ending.ts';

type Cost = {
  readonly name: string;
  readonly seconds: number; // of CPU, without what vitest itself takes to start
  readonly lasts: number; // seconds, vitest's start included
  readonly passed: boolean;
  readonly killed: number; // processes that were left
};

const root = fileURLToPath(new URL('..', import.meta.url));
const meter = fileURLToPath(new URL('lib/cpu-time.py', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
});

await runBench(async () => {
  const start = (await run('vitest alone', ['list', '--filesOnly'])).seconds;
  const costs: Cost[] = [];
  for (const name of await testFiles()) {
    if (interrupted.aborted) return;
    const cost = await run(name, ['run', name]);
    costs.push({ ...cost, seconds: Math.max(0, cost.seconds - start) });
    console.error(describe(costs.at(-1)!));
  }
  const sorted = costs.toSorted((a, b) => b.seconds - a.seconds);
  if (values.json) console.log(JSON.stringify({ vitestSeconds: start, files: sorted }));
  else report(sorted, start);
});

async function testFiles(): Promise<string[]> {
  const paths = await readdir(join(root, 'test'), { recursive: true });
  return paths
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => relative(root, join(root, 'test', path)))
    .filter((path) => positionals.length === 0 || positionals.some((part) => path.includes(part)))
    .toSorted();
}

/** Runs vitest to its end, and that of all that it leaves behind. */
async function run(name: string, args: readonly string[]): Promise<Cost> {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const from = performance.now();
  const child = spawn('python3', [meter, process.execPath, vitest, ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-20_000);
  });
  await once(child, 'close');
  const last = errors.trimEnd().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new Error(`${name}: expected its CPU time, got:\n${errors}`);
  const { status, seconds, killed } = JSON.parse(last) as { status: number; seconds: number; killed: number };
  return { name, seconds, lasts: (performance.now() - from) / 1000, killed, passed: status === 0 };
}

function report(costs: readonly Cost[], start: number): void {
  const sum = costs.reduce((all, { seconds }) => all + seconds, 0);
  console.log(`\n${costs.map(describe).join('\n')}`);
  console.log(
    `${sum.toFixed(1).padStart(8)} CPU s in ${costs.length} files; vitest itself: ${start.toFixed(1)}`,
  );
}

function describe({ name, seconds, lasts, passed, killed }: Cost): string {
  const trouble = [passed ? '' : 'FAILED', killed ? `${killed} processes were left, and killed` : ''];
  return [
    `${seconds.toFixed(1).padStart(8)} CPU s in ${lasts.toFixed(1).padStart(5)} s  ${name}`,
    ...trouble.filter(Boolean),
  ].join('  ');
}
