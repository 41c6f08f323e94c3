/**
 * `npm run bench:first-run`: what a newcomer waits for. Clones this repository's last commit, gives the clone an
 * empty cache directory, times `npm start` to the first right answer, stops it as Ctrl-C does, and times the
 * second `npm start` to a ready service.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { getJson, type Service, startService } from '../harness/service.ts';
import type { TrainJob } from '../src/jobs/contract.ts';
import { atEnd, interrupted, runBench } from './lib/ending.ts';

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });

await runBench(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'trainyard-first-run-'));
  atEnd(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  execFileSync('git', ['clone', '--quiet', resolve(import.meta.dirname, '..'), join(directory, 'trainyard')]);
  const first = await timeFirstStart(directory);
  const secondReadySeconds = await timeSecondStart(directory);
  if (values.json) console.log(JSON.stringify({ ...first, secondReadySeconds }));
});

async function timeFirstStart(directory: string) {
  const startedAt = performance.now();
  const { service, end } = await npmStart(directory);
  const setupSeconds = Number(/set-up done +([\d.]+) s/.exec(service.output())?.[1]);
  try {
    await service.printed('Try it:', 10 * 60_000);
    await expectSeven(service.address);
    const answerSeconds = secondsSince(startedAt);
    console.log(service.output());
    const [job] = (await getJson<{ data: TrainJob[] }>(`${service.address}/jobs`)).data;
    const trainingSeconds = (Date.parse(job!.finishedAt!) - Date.parse(job!.startedAt!)) / 1000;
    console.log(`first right answer after ${answerSeconds.toFixed(1)} s`);
    console.log(`  of which set-up ${setupSeconds.toFixed(1)} s, training ${trainingSeconds.toFixed(1)} s`);
    return { answerSeconds, setupSeconds, trainingSeconds };
  } finally {
    await end();
  }
}

async function timeSecondStart(directory: string): Promise<number> {
  const startedAt = performance.now();
  const { service, end } = await npmStart(directory);
  try {
    await service.printed('Try it:', 60_000);
    const { status } = await fetch(`${service.address}/health/ready`);
    if (status !== 200) throw new Error(`expected /health/ready to answer 200, got ${status}`);
    const seconds = secondsSince(startedAt);
    console.log(`second start: ready after ${seconds.toFixed(2)} s`);
    return seconds;
  } finally {
    await end();
  }
}

async function npmStart(directory: string): Promise<{ service: Service; end: () => Promise<void> }> {
  const cwd = join(directory, 'trainyard');
  const env = { TRAINYARD_CACHE: join(directory, 'cache') };
  const command = { program: 'npm', args: ['start'], cwd };
  const service = await startService(join(cwd, 'data'), env, command, interrupted);
  return { service, end: atEnd(async () => void (await service.end())) };
}

/** The first MNIST test image, through the routes that `npm start` names. */
async function expectSeven(address: string): Promise<void> {
  const picture = await fetch(`${address}/datasets/mnist/test/0.png`);
  const body = Buffer.from(await picture.arrayBuffer());
  const headers = { 'content-type': 'image/png' };
  const response = await fetch(`${address}/predict`, { method: 'POST', headers, body });
  const { digit } = (await response.json()) as { digit?: number };
  if (digit !== 7) throw new Error(`expected the digit 7, got ${digit} with status ${response.status}`);
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1000;
}
