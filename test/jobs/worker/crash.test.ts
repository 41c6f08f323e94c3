import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { queueName, type TrainJob } from '../../../src/jobs/contract.ts';
import { workspaceDirectory } from '../../../src/model/training/workspace.ts';
import { isLong } from '../../long.ts';
import { trainersOf, untilGone, untilTrainer } from '../processes.ts';
import { startRedisServer } from '../redis-server.ts';
import { timed, until } from '../until.ts';
import { endProcess, startWorkerProcess } from '../worker-process.ts';
import { lasting, openYard, shortTimings, smallEpochs, type Yard } from '../yard.ts';

const { url } = await startRedisServer();

/** Time to kill its trainer between two steps. */
const timings = { ...shortTimings, stepPauseMs: 30 };
const endless = { ...smallEpochs, epochs: 1000 } as const;

describe('a trainer that is killed', () => {
  it('gets another attempt, which goes on and publishes no epoch twice', async () => {
    const yard = await openYard(url);
    const { id } = await yard.enqueue({ ...smallEpochs, epochs: 3 });
    await yard.startWorker({ timings });
    // An epoch is told before the resume point after it is saved; that one is there when the next epoch is told.
    await yard.untilJob(id, 'to publish two epochs', ({ epochs }) => epochs.length >= 2);
    process.kill(trainersOf(process.pid)[0]!, 'SIGKILL');
    const job = await yard.untilEnded(id);
    expect(job).toMatchObject({ status: 'succeeded', attempt: 2, error: null });
    expect(job.epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(job.epochs.map(({ modelVersion }) => modelVersion)).toEqual([1, 2, 3]);
    expect(job.resumedFromStep).toBeGreaterThanOrEqual(10); // an epoch has ten steps
    expect(await yard.store.versions()).toHaveLength(3);
  });

  it('is given up after three attempts, and the next job runs, which succeeds at its second', async () => {
    const yard = await openYard(url);
    const { id } = await yard.enqueue(endless);
    await yard.startWorker();
    const killed: number[] = [];
    const killNext = async () => {
      killed.push(await untilTrainer(process.pid, killed));
      process.kill(killed.at(-1)!, 'SIGKILL');
    };
    for (let attempt = 1; attempt <= 3; attempt++) await killNext();
    expect(await yard.untilEnded(id)).toMatchObject({
      status: 'failed',
      attempt: 3,
      modelVersion: null,
      error: { code: 'TRAINER_CRASHED', message: expect.stringContaining('SIGKILL') },
    });
    const next = await yard.enqueue();
    await killNext();
    expect(await yard.untilEnded(next.id)).toMatchObject({
      status: 'succeeded',
      attempt: 2,
      error: null,
      modelVersion: 1,
      epochs: [{ epoch: 1, modelVersion: 1 }],
    });
  });

  it('has another attempt after each crash as long as it gets further in between', async () => {
    const yard = await openYard(url);
    const { id } = await yard.enqueue(endless);
    await yard.startWorker({ timings: { ...timings, resumePointMs: 50 } });
    const killed: number[] = [];
    let reached = 0;
    for (let attempt = 1; attempt <= 4; attempt++) {
      killed.push(await untilTrainer(process.pid, killed));
      reached = await untilSaved(yard, id, reached);
      const running = await yard.untilJob(id, 'to tell its attempt', (job) => job.attempt >= attempt);
      expect(running).toMatchObject({ status: 'running', attempt });
      if (attempt < 4) process.kill(killed.at(-1)!, 'SIGKILL');
    }
    await yard.queue.cancel(id);
    expect(await yard.untilEnded(id)).toMatchObject({ status: 'cancelled', attempt: 4 });
  });

  it('is not tried again when its job has been cancelled meanwhile', async () => {
    const yard = await openYard(url);
    const { id } = await yard.enqueue(endless);
    await yard.startWorker();
    const trainer = await untilTrainer();
    process.kill(trainer, 'SIGSTOP'); // hears no cancel
    const { ms } = await timed(async () => {
      await yard.queue.cancel(id);
      await yard.untilJob(id, 'to be cancelled', ({ status }) => status === 'cancelled');
    });
    expect(ms).toBeLessThan(2000);
    await untilGone(trainer);
    expect(await yard.find(id)).toMatchObject({ attempt: 1, error: null });
  });
});

describe('a worker that closes', () => {
  it('hands its job back, first in line, without a failed attempt', async () => {
    const yard = await openYard(url);
    const { id } = await yard.enqueue(endless);
    const behind = await yard.enqueue();
    const worker = await yard.startWorker({ timings: lasting });
    await yard.untilJob(id, 'to compute', ({ progress }) => progress !== null);
    const { ms } = await timed(() => worker.close());
    expect(ms).toBeLessThan(3000);
    expect(trainersOf(process.pid)).toEqual([]);
    expect(await yard.find(id)).toMatchObject({ status: 'queued', queuePosition: 1, error: null });
    expect((await yard.find(behind.id)).queuePosition).toBe(2);
  });

  it('never stays for the length of a job that it is just taking, which another one finishes', async () => {
    const yard = await openYard(url);
    const { id } = await yard.enqueue({ epochs: 2 });
    for (let turns = 0; turns < 20; turns += isLong ? 1 : 3) {
      const worker = await yard.startWorker({ engine: 'wasm' }); // which is open sooner
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      const { ms } = await timed(() => worker.close());
      expect(ms).toBeLessThan(3000);
      expect((await yard.find(id)).status).toBe('queued');
    }
    const worker = await yard.startWorker();
    await untilTrainer();
    await worker.close();
    const { attempt } = await yard.find(id);
    await yard.startWorker();
    expect(await yard.untilEnded(id)).toMatchObject({
      status: 'succeeded',
      attempt: attempt + 1,
      error: null,
    });
  });
});

describe('a worker that has lost its job to another', () => {
  it('ends its trainer and goes on with the next job', async () => {
    const yard = await openYard(url);
    const { id } = await yard.enqueue(endless);
    await yard.startWorker();
    const trainer = await untilTrainer();
    await takeLock(yard, id);
    await untilGone(trainer);
    const next = await yard.enqueue();
    expect((await yard.untilEnded(next.id)).status).toBe('succeeded');
    expect(await yard.find(id)).toMatchObject({ status: 'running', error: null }); // by the other one
  });
});

describe('a worker process that is killed', () => {
  it('takes its trainer with it, and another worker finishes its job', async () => {
    const yard = await openYard(url);
    const { id } = await yard.enqueue({ epochs: 1, trainImages: 640 });
    const program = startWorkerProcess(yard, lasting);
    const trainer = await untilTrainer(program.pid);
    await yard.untilJob(id, 'to compute', ({ progress }) => progress !== null);
    await endProcess(program, 'SIGKILL');
    await untilGone(trainer);
    await yard.startWorker();
    const job = await yard.untilEnded(id);
    expect(job).toMatchObject({ status: 'succeeded', attempt: 2, error: null });
  });
});

describe('a job whose worker is gone, with no other one', () => {
  it('is not said to run for ever, and can be cancelled', async () => {
    const yard = await openYard(url);
    const { id } = await yard.enqueue(endless);
    const program = startWorkerProcess(yard, lasting);
    await yard.untilJob(id, 'to run', ({ status }) => status === 'running');
    await endProcess(program, 'SIGKILL');
    const waiting = await yard.untilJob(id, 'to wait', ({ status }) => status === 'queued', 8000);
    expect(idsOf((await yard.queue.list({ status: 'queued', limit: 5 })).data)).toEqual([id]);
    expect(waiting.attempt).toBe(1);
    await yard.queue.cancel(id);
    expect(await yard.find(id)).toMatchObject({ status: 'cancelled', error: null });
    expect(idsOf((await yard.queue.list({ status: 'cancelled', limit: 5 })).data)).toEqual([id]);
    await yard.startWorker();
    await yard.untilJob(id, 'to be dropped', ({ status }) => status === 'cancelled');
  });
});

describe('a resume point that is damaged', () => {
  it('is named in the log, and the job goes on from the one before', async () => {
    const yard = await openYard(url);
    const { id } = await yard.enqueue({ ...endless, epochs: 2 });
    const worker = await yard.startWorker({ timings: { ...timings, resumePointMs: 50 } });
    await untilSaved(yard, id, await untilSaved(yard, id, 0)); // a second one
    await worker.close();
    const [newest] = await resumePointsOf(yard, id);
    await writeFile(join(workspaceDirectory(yard.dataDir, id), newest!), 'damaged');
    const lines: string[] = [];
    await yard.startWorker({ log: pino({ level: 'warn' }, { write: (line) => void lines.push(line) }) });
    const job = await yard.untilEnded(id);
    expect(job).toMatchObject({ status: 'succeeded', epochs: { length: 2 } });
    expect(job.resumedFromStep).toBeLessThan(Number.parseInt(newest!, 10));
    expect(lines.join('')).toContain(`resume point ${newest} not used: checksum or form is wrong`);
  });
});

/** The names of a job's resume points, STEP-EPOCH.resume, the newest first. */
async function resumePointsOf(yard: Yard, id: string): Promise<string[]> {
  const names = await readdir(workspaceDirectory(yard.dataDir, id)).catch(() => []);
  return names
    .filter((name) => name.endsWith('.resume'))
    .toSorted((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10));
}

/** Waits for a resume point after `step`; gives its step. */
function untilSaved(yard: Yard, id: string, step: number): Promise<number> {
  const newest = async () => Number.parseInt((await resumePointsOf(yard, id))[0] ?? '0', 10);
  return until('a newer resume point', newest, (found) => found > step);
}

const idsOf = (jobs: readonly TrainJob[]) => jobs.map(({ id }) => id);

/** Makes a job another worker's, as when this one was too long away from Redis. */
async function takeLock({ prefix }: Yard, id: string): Promise<void> {
  const redis = new Redis(url);
  await redis.set(`${prefix}:${queueName}:${id}:lock`, 'another worker', 'XX');
  redis.disconnect();
}
