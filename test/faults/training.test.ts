/**
 * What must hold of a job whose processes are killed: it succeeds, and its last model is, byte for byte, the one of
 * a job that nothing happened to. The short form does each once; `npm run test:faults` does each as often as
 * docs/reliability.md says.
 */
import { readdir } from 'node:fs/promises';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { TrainJob } from '../../src/jobs/contract.ts';
import { workspaceDirectory } from '../../src/model/training/workspace.ts';
import { trainersOf } from '../jobs/processes.ts';
import { startRedisServer } from '../jobs/redis-server.ts';
import { timed, until } from '../jobs/until.ts';
import { endProcess, startWorkerProcess } from '../jobs/worker-process.ts';
import { buildYard, shortTimings, type Yard } from '../jobs/yard.ts';
import { faults } from './forms.ts';

const { url } = await startRedisServer();
vi.setConfig({ testTimeout: 180_000 });
const random = faults.random('training');

/** Two epochs of 40 steps, of some 3 s each with the pauses: resume points within an epoch and between two. */
const request = { epochs: 2, trainImages: 320, batchSize: 8 };
const steps = 80;
const timings = { ...shortTimings, stepPauseMs: 50 };
const startWorker = () => startWorkerProcess(yard, timings);
const takeoverMs = 10_000;

let yard: Yard;
let close: () => Promise<void>;
let whole: Ending;

beforeAll(async () => {
  [yard, close] = await buildYard(url);
  const worker = startWorker();
  whole = await ending((await yard.enqueue(request)).id, 'left alone');
  await endProcess(worker, 'SIGTERM');
}, 120_000);

afterAll(async () => {
  await close();
});

describe('a job goes on and ends with the same bytes', () => {
  it('as one that succeeds and publishes both of its epochs', () => {
    expect(whole).toMatchObject({ status: 'succeeded', metrics: { length: 2 }, models: { length: 2 } });
  });

  it.each(faults.times(1, 10))('when its trainer is killed at a random step (%d)', async () => {
    const worker = startWorker();
    const { id } = await yard.enqueue(request);
    const step = await untilRandomStep(id);
    const [trainer] = trainersOf(worker.pid!);
    process.kill(trainer!, 'SIGKILL');
    await untilTakenAgain(id, 1);
    expect(await ending(id, `trainer killed at step ${step}`)).toEqual(whole);
    expect((await yard.find(id)).resumedFromStep).toBeGreaterThan(0);
    await endProcess(worker, 'SIGTERM');
  });

  it.each(faults.times(1, 10))('when its worker is killed at a random step (%d)', async () => {
    const worker = startWorker();
    const { id } = await yard.enqueue(request);
    const step = await untilRandomStep(id);
    await endProcess(worker, 'SIGKILL');
    const next = startWorker();
    await untilTakenAgain(id, 1);
    expect(await ending(id, `worker killed at step ${step}`)).toEqual(whole);
    expect((await yard.find(id)).resumedFromStep).toBeGreaterThan(0);
    await endProcess(next, 'SIGTERM');
  });

  it.each(faults.times(1, 10))('when its worker is told to end, with no attempt used (%d)', async () => {
    const worker = startWorker();
    const { id } = await yard.enqueue(request);
    const step = await untilRandomStep(id);
    expect((await timed(() => endProcess(worker, 'SIGTERM'))).ms).toBeLessThan(3000);
    const waiting = await yard.find(id);
    expect(waiting).toMatchObject({ status: 'queued', queuePosition: 1, error: null });
    const next = startWorker();
    expect(await ending(id, `worker ended at step ${step}`)).toEqual(whole);
    expect((await yard.find(id)).resumedFromStep).toBeGreaterThanOrEqual(step); // saved when it was told
    await endProcess(next, 'SIGTERM');
  });

  it.each(faults.times(0, 1))('when one worker after the other is killed (%d)', async () => {
    let worker = startWorker();
    const { id } = await yard.enqueue(request);
    const kills = 6;
    let saved = 0;
    for (let attempt = 1; attempt <= kills; attempt++) {
      saved = await untilSaved(id, saved);
      await endProcess(worker, 'SIGKILL');
      worker = startWorker();
      await untilTakenAgain(id, attempt);
    }
    expect(await ending(id, `worker killed ${kills} times`)).toEqual(whole);
    await endProcess(worker, 'SIGTERM');
  });
});

/** Waits for a resume point after `step`; gives its step. */
function untilSaved(id: string, step: number): Promise<number> {
  const newest = async () => {
    const names = await readdir(workspaceDirectory(yard.dataDir, id)).catch(() => []);
    const points = names.filter((name) => name.endsWith('.resume'));
    return Math.max(0, ...points.map((name) => Number.parseInt(name, 10)));
  };
  return until('a newer resume point', newest, (found) => found > step, 60_000);
}

/** Waits until the job has come to a step of chance's choice; gives the step it was at. The short form gives it time to save. */
async function untilRandomStep(id: string): Promise<number> {
  const wanted = uniformInt(random, faults.isLong ? 2 : steps / 2, steps - 10);
  const job = await yard.untilJob(
    id,
    `to come to step ${wanted}`,
    ({ progress }) => {
      return (progress?.step ?? 0) >= wanted;
    },
    60_000,
  );
  return job.progress!.step;
}

async function untilTakenAgain(id: string, attempt: number): Promise<void> {
  const began = performance.now();
  await yard.untilJob(id, 'to be taken again', (job) => job.attempt > attempt, takeoverMs);
  console.log(`taken again after ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

type Ending = { readonly status: string; readonly metrics: object[]; readonly models: string[] };

/** How a job has ended: what must be the same whatever happened to it on the way. */
async function ending(id: string, what: string): Promise<Ending> {
  const job = await yard.untilEnded(id, 100_000);
  console.log(`${what}: ${job.status} at attempt ${job.attempt}, resumed from step ${job.resumedFromStep}`);
  return {
    status: job.status,
    metrics: job.epochs.map(withoutTimeAndVersion),
    models: await publishedBy(id),
  };
}

/** `epoch: SHA-256 of weights.bin` of every version that a job has published; each is read and checked. */
async function publishedBy(jobId: string): Promise<string[]> {
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
