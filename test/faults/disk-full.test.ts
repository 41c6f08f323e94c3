/** A disk that is full when a checkpoint is to be written, for real: a small file system of its own. */
import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { launcherAlone, type Service, startService, trainToEnd } from '../../harness/service.ts';
import { openStore } from '../../src/model/store/store.ts';
import { closeAfterTest } from '../closing.ts';
import { startRedisServer } from '../jobs/redis-server.ts';
import { until } from '../jobs/until.ts';
import { openYard, shortTimings, smallEpochs } from '../jobs/yard.ts';
import { isLong, runs } from '../long.ts';
import { pausing } from '../pausing.ts';
import { temporaryDirectory } from '../temporary.ts';

const { url } = await startRedisServer();
const diskBytes = 12 << 20; // resume points have 1.5 MB, models 0.5 MB
const reason = await whyNoDisk();
if (reason !== null) console.log(`a full disk is not tested: ${reason}`);

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

describe.skipIf(reason !== null)('a full disk', () => {
  it('makes a job wait, saying so, and go on when there is room; what was published stays whole', async () => {
    const disk = await mountDisk();
    const yard = await openYard(url, disk);
    const { id } = await yard.enqueue({ ...smallEpochs, epochs: isLong ? 6 : 3 });
    const filler = join(disk, 'filler');
    await yard.startWorker({ timings: { ...shortTimings, stepPauseMs: 30 } }); // time to fill the disk
    await yard.untilJob(id, 'to publish', ({ epochs }) => epochs.length >= 1);
    await fill(filler);
    const waiting = await yard.untilJob(id, 'to say that it waits', ({ error }) => error !== null);
    expect(waiting).toMatchObject({
      status: 'running',
      error: { code: 'DISK_FULL', message: expect.stringMatching(/ENOSPC.*free some, the job waits/) },
    });
    for (const version of await yard.store.versions()) await yard.store.load(version);
    await rm(filler);
    const job = await yard.untilEnded(id);
    expect(job).toMatchObject({ status: 'succeeded', attempt: 1, error: null });
    expect(job.epochs.map(({ epoch, modelVersion }) => [epoch, modelVersion])).toEqual(
      upTo(isLong ? 6 : 3).map((n) => [n, n]),
    );
  });

  it('lets a job that waits be cancelled', async () => {
    const disk = await mountDisk();
    const yard = await openYard(url, disk);
    await fill(join(disk, 'filler'));
    const { id } = await yard.enqueue();
    await yard.startWorker({ timings: { ...shortTimings, resumePointMs: 1 } }); // writes at its first step
    await yard.untilJob(id, 'to say that it waits', ({ error }) => error?.code === 'DISK_FULL');
    await yard.queue.cancel(id);
    expect(await yard.untilEnded(id, 3000)).toMatchObject({ status: 'cancelled', error: null });
  });
});

describe.skipIf(reason !== null)('a full disk under `npm start`, the embedded Redis on it', () => {
  it('costs no prediction and no job: it goes on when there is room', async () => {
    const disk = await mountDisk(32 << 20);
    const service = await startService(disk, { FIRST_MODEL: 'false', ...pausing(20) }, launcherAlone);
    closeAfterTest(async () => void (await service.end()));
    await service.printed('Try it:');
    const small = { trainImages: 160, testImages: 100, batchSize: 8, seed: 7 };
    const rate = { schedule: 'constant', learningRate: 0.002 };
    await trainToEnd(service.address, { ...small, ...rate, epochs: 1 });
    const picture = await digit(service);
    await until(
      'model 1',
      () => predict(service, picture),
      (status) => status === 200,
    );
    const training = trainToEnd(service.address, { ...small, ...rate, epochs: isLong ? 8 : 5 });
    await until(
      'the second job to publish',
      () => openStore(disk).versions(),
      ([newest]) => newest! > 1,
    );
    await fill(join(disk, 'filler'));
    await until('Redis to stop', () => service.output().includes('ENOSPC'), Boolean);
    for (let i = 0; i < runs(100); i++) expect(await predict(service, picture)).toBe(200);
    await rm(join(disk, 'filler'));
    const job = await training;
    expect(job).toMatchObject({ status: 'succeeded', error: null });
    expect(job.epochs.map(({ epoch, modelVersion }) => [epoch, modelVersion])).toEqual(
      upTo(isLong ? 8 : 5).map((n) => [n, n + 1]),
    );
  });
});

async function digit({ address }: Service): Promise<ArrayBuffer> {
  return (await fetch(`${address}/datasets/mnist/test/0.png`)).arrayBuffer();
}

async function predict({ address }: Service, body: ArrayBuffer): Promise<number> {
  const headers = { 'content-type': 'image/png' };
  const response = await fetch(`${address}/predict`, { method: 'POST', headers, body });
  await response.arrayBuffer();
  return response.status;
}

/** Unmounted when the test has ended. */
async function mountDisk(bytes = diskBytes): Promise<string> {
  const directory = await temporaryDirectory();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory], { stdio: 'pipe' });
  closeAfterTest(
    async () => void (await until('nothing to use the disk', () => unmount(directory), Boolean)),
  );
  return directory;
}

/** False while something uses it: what watches over the embedded Redis ends a moment after it. */
function unmount(directory: string): boolean {
  try {
    execFileSync('umount', [directory], { stdio: 'pipe' });
    return true;
  } catch (error) {
    if (String(error).includes('busy')) return false;
    throw error;
  }
}

async function whyNoDisk(): Promise<string | null> {
  try {
    const directory = await temporaryDirectory();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory], { stdio: 'pipe' });
    execFileSync('umount', [directory], { stdio: 'pipe' });
    return null;
  } catch (error) {
    return `expected to be allowed to mount a tmpfs, got: ${(error as Error).message.trim()}`;
  }
}

async function fill(path: string): Promise<void> {
  await writeFile(path, Buffer.alloc(32 << 20)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOSPC') throw error;
  });
}
