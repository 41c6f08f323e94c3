/**
 * What must hold of a job whose processes are killed: it succeeds, and its last model is, byte for byte, the one of
 * a job that nothing happened to. The short form does each once, to one job; `npm run test:faults` does each to a job
 * of its own, as often as docs/reliability.md says.
 */
import type { ChildProcess } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TrainJob } from '../../src/jobs/contract.ts';
import { workspaceDirectory } from '../../src/model/training/workspace.ts';
import { closingAfter } from '../closing.ts';
import { trainersOf } from '../jobs/processes.ts';
import { startRedisServer } from '../jobs/redis-server.ts';
import { timed, until } from '../jobs/until.ts';
import { endProcess, startWorkerProcess } from '../jobs/worker-process.ts';
import { openYard, shortTimings, type Yard } from '../jobs/yard.ts';
import { faults } from './forms.ts';

const { url } = await startRedisServer();
const random = faults.random('training');

/** Two epochs of 40 steps, of some 3 s each with the pauses: resume points within an epoch and between two. */
const request = { epochs: 2, trainImages: 320, batchSize: 8 };
const steps = 80;
const timings = { ...shortTimings, stepPauseMs: 50 };
const startWorker = (yard: Yard) => startWorkerProcess(yard, timings);
const takeoverMs = 10_000;

let whole: Ending;

const runAlone = () =>
  closingAfter(async () => {
    const yard = await openYard(url);
    startWorker(yard);
    const { id } = await yard.enqueue(request);
    whole = await ending(yard, id, 'left alone');
  });
beforeAll(runAlone);

describe('a job goes on and ends with the same bytes', () => {
  it('as one that succeeds and publishes both of its epochs', () => {
    expect(whole).toMatchObject({ status: 'succeeded', metrics: { length: 2 }, models: { length: 2 } });
  });

  it.runIf(!faults.isLong)(
    'when its trainer is killed, then its worker, and the next worker is told to end, each at a random step',
    async () => {
      const yard = await openYard(url);
      const first = startWorker(yard);
      const { id } = await yard.enqueue(request);
      const killed = await untilStep(yard, id, uniformInt(random, 20, 30));
      process.kill(trainersOf(first.pid!)[0]!, 'SIGKILL');
      await untilTakenAgain(yard, id, 1);

      const lost = await untilStep(yard, id, uniformInt(random, 45, 55));
      expect((await yard.find(id)).resumedFromStep).toBeGreaterThan(0);
      await endProcess(first, 'SIGKILL');
      const second = startWorker(yard);
      await untilTakenAgain(yard, id, 2);

      const ended = await untilStep(yard, id, uniformInt(random, 62, steps - 10));
      expect((await yard.find(id)).resumedFromStep).toBeGreaterThan(killed);
      await endAndExpectBack(yard, second, id);
      startWorker(yard);
      const what = `trainer killed at step ${killed}, worker at ${lost}, another one ended at ${ended}`;
      expect(await ending(yard, id, what)).toEqual(whole);
      expect((await yard.find(id)).resumedFromStep).toBeGreaterThanOrEqual(ended); // saved when it was told
    },
  );

  it.each(faults.times(0, 10))('when its trainer is killed at a random step (%d)', async () => {
    const { yard, worker, id, step } = await untilRandomStep();
    const [trainer] = trainersOf(worker.pid!);
    process.kill(trainer!, 'SIGKILL');
    await untilTakenAgain(yard, id, 1);
    expect(await ending(yard, id, `trainer killed at step ${step}`)).toEqual(whole);
    expect((await yard.find(id)).resumedFromStep).toBeGreaterThan(0);
  });

  it.each(faults.times(0, 10))('when its worker is killed at a random step (%d)', async () => {
    const { yard, worker, id, step } = await untilRandomStep();
    await endProcess(worker, 'SIGKILL');
    startWorker(yard);
    await untilTakenAgain(yard, id, 1);
    expect(await ending(yard, id, `worker killed at step ${step}`)).toEqual(whole);
    expect((await yard.find(id)).resumedFromStep).toBeGreaterThan(0);
  });

  it.each(faults.times(0, 10))('when its worker is told to end, with no attempt used (%d)', async () => {
    const { yard, worker, id, step } = await untilRandomStep();
    await endAndExpectBack(yard, worker, id);
    startWorker(yard);
    expect(await ending(yard, id, `worker ended at step ${step}`)).toEqual(whole);
    expect((await yard.find(id)).resumedFromStep).toBeGreaterThanOrEqual(step); // saved when it was told
  });

  it.each(faults.times(0, 1))('when one worker after the other is killed (%d)', async () => {
    const yard = await openYard(url);
    let worker = startWorker(yard);
    const { id } = await yard.enqueue(request);
    const kills = 6;
    let saved = 0;
    for (let attempt = 1; attempt <= kills; attempt++) {
      saved = await untilSaved(yard, id, saved);
      await endProcess(worker, 'SIGKILL');
      worker = startWorker(yard);
      await untilTakenAgain(yard, id, attempt);
    }
    expect(await ending(yard, id, `worker killed ${kills} times`)).toEqual(whole);
  });
});

/** Tells a worker to end, which hands its job back first. */
async function endAndExpectBack(yard: Yard, worker: ChildProcess, id: string): Promise<void> {
  expect((await timed(() => endProcess(worker, 'SIGTERM'))).ms).toBeLessThan(3000);
  const waiting = await yard.find(id);
  expect(waiting).toMatchObject({ status: 'queued', queuePosition: 1, error: null });
}

/** Waits for a resume point after `step`; gives its step. */
function untilSaved(yard: Yard, id: string, step: number): Promise<number> {
  const newest = async () => {
    const names = await readdir(workspaceDirectory(yard.dataDir, id)).catch(() => []);
    const points = names.filter((name) => name.endsWith('.resume'));
    return Math.max(0, ...points.map((name) => Number.parseInt(name, 10)));
  };
  return until('a newer resume point', newest, (found) => found > step);
}

type Interrupted = {
  readonly yard: Yard;
  readonly worker: ChildProcess;
  readonly id: string;
  readonly step: number;
};

/** Starts a job; it has come to a step of chance's choice when this resolves. */
async function untilRandomStep(): Promise<Interrupted> {
  const yard = await openYard(url);
  const worker = startWorker(yard);
  const { id } = await yard.enqueue(request);
  return { yard, worker, id, step: await untilStep(yard, id, uniformInt(random, 2, steps - 10)) };
}

/** Waits until a job has come to a step or past it; gives the one that it tells. */
async function untilStep(yard: Yard, id: string, wanted: number): Promise<number> {
  const isThere = ({ progress }: TrainJob) => (progress?.step ?? 0) >= wanted;
  return (await yard.untilJob(id, `to come to step ${wanted}`, isThere)).progress!.step;
}

async function untilTakenAgain(yard: Yard, id: string, attempt: number): Promise<void> {
  const began = performance.now();
  await yard.untilJob(id, 'to be taken again', (job) => job.attempt > attempt, takeoverMs);
  console.log(`taken again after ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

type Ending = { readonly status: string; readonly metrics: object[]; readonly models: string[] };

/** How a job has ended: what must be the same whatever happened to it on the way. */
async function ending(yard: Yard, id: string, what: string): Promise<Ending> {
  const job = await yard.untilEnded(id);
  console.log(`${what}: ${job.status} at attempt ${job.attempt}, resumed from step ${job.resumedFromStep}`);
  return {
    status: job.status,
    metrics: job.epochs.map(withoutTimeAndVersion),
    models: await publishedBy(yard, id),
  };
}

/** `epoch: SHA-256 of weights.bin` of every version that a job has published; each is read and checked. */
async function publishedBy(yard: Yard, jobId: string): Promise<string[]> {
  const models = await Promise.all((await yard.store.versions()).map((version) => yard.store.load(version)));
  return models
    .map(({ manifest }) => manifest)
    .filter((manifest) => manifest.jobId === jobId)
    .map(({ epoch, files }) => `${epoch}: ${files['weights.bin'].sha256}`)
    .toSorted();
}

function withoutTimeAndVersion({ epoch, trainLoss, testLoss, testAccuracy }: TrainJob['epochs'][number]) {
  return { epoch, trainLoss, testLoss, testAccuracy };
}
