/**
 * `npm run soak`: trains and predicts at once, for ten minutes unless `--minutes` says otherwise, and prints how the
 * memory of each process has grown since the first minute, and how many tensors were alive. Ends with exit
 * code 1 when a process has grown by 5 % or more, the number of tensors has changed or a request has failed.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Service, startService } from '../harness/service.ts';
import { readSplit } from '../src/model/data/built-in.ts';
import { imageAt } from '../src/model/data/dataset.ts';
import { encodePng } from '../src/model/image/encode-png.ts';
import { atEnd, interrupted, runBench } from './lib/ending.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, json: { type: 'boolean', default: false } },
});

const sampleEveryMs = 5000;
const settlingMs = 60_000; // what a process takes up in its first minute is its size
const clients = 4;
const growthLimit = 0.05;
const windowSamples = 6; // half a minute: the medians that are compared

const processNames = ['start', 'redis', 'server', 'predictor-process', 'worker', 'trainer-process'];

const totalMs = Number(values.minutes) * 60_000;
if (!(totalMs >= settlingMs + 2 * windowSamples * sampleEveryMs)) {
  throw new Error(`expected --minutes 2 or more, got ${values.minutes}`);
}
await runBench(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'trainyard-soak-'));
  atEnd(() => rm(dataDir, { recursive: true, force: true }));
  const service = await startService(dataDir, { LOG_LEVEL: 'debug' }, undefined, interrupted);
  atEnd(async () => void (await service.end()));
  await service.printed('Try it:', 5 * 60_000);
  await post(`${service.address}/jobs/train`, { epochs: 1000 });
  const ended = new AbortController();
  const [load, sizes] = await Promise.all([predictUntil(service, ended.signal), sample(service, ended)]);
  const growth = [...sizes].map(([name, samples]) => ({ name, ...growthOf(samples) }));
  const tensors = tensorsIn(service.output());
  report(growth, tensors, load);
  if (values.json) console.log(JSON.stringify({ minutes: Number(values.minutes), growth, tensors, ...load }));
});

type Growth = { readonly from: number; readonly to: number; readonly share: number }; // bytes
type Load = { readonly requests: number; readonly failed: number };

async function predictUntil({ address }: Service, signal: AbortSignal): Promise<Load> {
  const test = await readSplit('mnist', 'test');
  const headers = { 'content-type': 'image/png' };
  let requests = 0;
  let failed = 0;
  const client = async () => {
    while (!signal.aborted) {
      const body = await encodePng(imageAt(test, requests++ % test.count), 28, 28);
      const response = await fetch(`${address}/predict`, { method: 'POST', headers, body });
      await response.arrayBuffer();
      if (response.status !== 200) failed++;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { requests, failed };
}

/** Resident bytes of each process of the service, by name, every few seconds after the first minute. */
async function sample({ pid }: Service, ended: AbortController): Promise<Map<string, number[]>> {
  const samples = new Map<string, number[]>();
  const startedAt = performance.now();
  while (performance.now() - startedAt < totalMs) {
    await delay(sampleEveryMs);
    const elapsedMs = performance.now() - startedAt;
    process.stderr.write(`${(elapsedMs / 60_000).toFixed(1)} of ${values.minutes} minutes\n`);
    if (elapsedMs < settlingMs) continue;
    for (const { name, bytes } of residentSizes(pid)) {
      samples.set(name, [...(samples.get(name) ?? []), bytes]);
    }
  }
  ended.abort();
  return samples;
}

function residentSizes(root: number): { name: string; bytes: number }[] {
  const lines = execFileSync('ps', ['axww', '-o', 'pid=,ppid=,rss=,command='], { encoding: 'utf8' }).split(
    '\n',
  );
  const all = lines.flatMap((line) => {
    const [, pid, parent, kilobytes, command] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return command === undefined
      ? []
      : [{ pid: Number(pid), parent: Number(parent), bytes: 1024 * Number(kilobytes), command }];
  });
  const below = (parent: number): typeof all =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  const named = below(root).map(({ command, bytes }) => ({ name: nameOf(command), bytes }));
  return named.filter((one): one is { name: string; bytes: number } => one.name !== null);
}

function nameOf(command: string): string | null {
  return (
    /redis(?=-server)|valkey(?=-server)|(?<=run\.mjs )start|(?:start|server|worker|predictor-process|trainer-process)(?=\.js)/.exec(
      command,
    )?.[0] ?? null
  );
}

function growthOf(samples: number[]): Growth {
  const from = median(samples.slice(0, windowSamples));
  const to = median(samples.slice(-windowSamples));
  return { from, to, share: to / from - 1 };
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

/** The counts that trainer and predictor have told, by the message that told them. */
function tensorsIn(output: string): Record<string, number[]> {
  const counts: Record<string, number[]> = {};
  for (const line of output.split('\n')) {
    const [, count] = /"tensors":(\d+)/.exec(line) ?? [];
    if (count === undefined) continue;
    const name = line.includes('resume point saved') ? 'trainer' : 'predictor';
    counts[name] = [...new Set([...(counts[name] ?? []), Number(count)])];
  }
  return counts;
}

function report(growth: ({ name: string } & Growth)[], tensors: Record<string, number[]>, load: Load): void {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0).padStart(6);
  for (const { name, from, to, share } of growth) {
    console.log(
      `${name.padEnd(18)} ${megabytes(from)} MB → ${megabytes(to)} MB  ${(100 * share).toFixed(1)} %`,
    );
  }
  for (const [name, counts] of Object.entries(tensors)) console.log(`tensors, ${name}: ${counts.join(', ')}`);
  console.log(`${load.requests} predictions, ${load.failed} failed`);
  const faults = [
    ...processNames
      .filter((name) => !growth.some((one) => one.name === name))
      .map((name) => `no ${name} seen`),
    ...growth.filter(({ share }) => !(share < growthLimit)).map(({ name }) => `${name} has grown`),
    ...['trainer', 'predictor']
      .filter((name) => tensors[name]?.length !== 1)
      .map((name) => `tensors of the ${name}`),
    ...(load.failed > 0 || load.requests === 0 ? ['predictions failed, or there were none'] : []),
  ];
  console.log(faults.length === 0 ? 'steady' : `not steady: ${faults.join('; ')}`);
  if (faults.length > 0) process.exitCode = 1;
}

async function post(url: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`expected ${url} to answer 2xx, got ${response.status}`);
}
