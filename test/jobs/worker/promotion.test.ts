/** What the gate decides about the versions of real jobs, and where that is told. */
import { cp, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TrainJob } from '../../../src/jobs/contract.ts';
import type { JobEvent } from '../../../src/jobs/events.ts';
import { openRegistry, type Registry } from '../../../src/model/registry/registry.ts';
import { testedOf } from '../../../src/model/registry/tested.ts';
import { provenanceSchema } from '../../../src/model/store/manifest.ts';
import type { Correctness } from '../../../src/model/training/correctness.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { startRedisServer } from '../redis-server.ts';
import { buildYard, openYard, type RequestInput, requestOf, withBullQueue, type Yard } from '../yard.ts';

const { url } = await startRedisServer();

/** A run of 100 steps, to 93 %; and one of 20 smaller ones, to a third. */
const good: RequestInput = { trainImages: 3200, testImages: 300, batchSize: 32 };
const poor: RequestInput = { trainImages: 320, testImages: 300, batchSize: 16 };

let yard: Yard;
let registry: Registry;

/** What a good job has left behind, and the job. */
let trained: { yard: Yard; job: TrainJob };
beforeAll(async () => {
  const [first, close] = await buildYard(url);
  await first.startWorker();
  const { id } = await first.enqueue(good);
  trained = { yard: first, job: await first.untilEnded(id) };
  await close();
});

/** Opens a yard whose version 1 is that of the good job, or an empty one. */
async function open({ empty = false } = {}): Promise<void> {
  const dataDir = await temporaryDirectory();
  if (!empty) await cp(trained.yard.dataDir, dataDir, { recursive: true });
  yard = await openYard(url, dataDir);
  registry = openRegistry(dataDir);
  await yard.startWorker();
}

async function train(request: RequestInput) {
  const { id } = await yard.enqueue(request);
  return yard.untilEnded(id);
}

async function eventsOf(id: string, { prefix } = yard): Promise<JobEvent[]> {
  const redis = new Redis(url);
  const texts = await redis.lrange(`${prefix}:train:${id}:logs`, 0, -1);
  redis.disconnect();
  return texts.map((text) => JSON.parse(text) as JobEvent);
}

const champion = async () => (await registry.read('mnist'))?.aliases['champion']?.version;

/** Publishes version 1 once more, of another model, as its champion; without its test results unless they are given. */
async function adopt(model: string, results: { correctness?: Correctness } = {}): Promise<number> {
  const { manifest, weights } = await yard.store.load(1);
  const { model: _, test, ...older } = provenanceSchema.parse(manifest);
  const provenance = results.correctness && test ? { ...older, model, test } : older;
  const { version } = await yard.store.publish(manifest.network, weights, provenance, results);
  const tested = testedOf((await yard.store.manifest(version))!);
  const write = {
    action: 'adopted',
    alias: 'champion',
    to: version,
    by: 'the server',
    reason: 'newest',
    tested,
  } as const;
  await registry.decide(model, async () => ({ write }));
  return version;
}

const hasGap = (byte: number) => byte !== 0xff;

describe('a job', () => {
  it('has its first version promoted, and a much worse one kept, with the numbers that say why', async () => {
    const first = trained.job;
    expect(first.promotion).toMatchObject({ decision: 'promoted', version: 1, champion: 1, against: null });
    await open();
    const second = await train(poor);
    expect(second.promotion).toMatchObject({ decision: 'kept', version: 2, champion: 1, against: 1 });
    const { onlyCandidate, onlyChampion, p } = second.promotion!;
    expect(onlyCandidate!).toBeLessThan(onlyChampion!);
    expect(p!).toBeLessThan(0.01);
    expect(await champion()).toBe(1);
    const types = (await eventsOf(second.id)).map(({ type }) => type);
    expect(types.slice(-3)).toEqual(['checkpoint', 'kept', 'done']);
    expect(await eventsOf(first.id, trained.yard)).toContainEqual(
      expect.objectContaining({ type: 'promoted', version: 1 }),
    );
    expect(await registry.history('mnist', 1)).toMatchObject([
      { action: 'kept', to: 2, by: `job ${second.id}` },
    ]);

    const third = await train({ ...poor, promote: 'always' });
    expect(third.promotion).toMatchObject({ decision: 'promoted', champion: 3 });
    const fourth = await train({ ...poor, promote: 'never' });
    expect(fourth.promotion).toMatchObject({ decision: 'held', champion: 3 });
  });

  /** Queues what an earlier version of this program would have queued, which knew less of a request. */
  async function trainAsEarlier(change: RequestInput): Promise<TrainJob> {
    const { model: _, promote: __, outliers: ___, otherHands: ____, ...later } = requestOf(change);
    const { calibrationImages: _____, ...request } = later;
    const id = uuidv7();
    await withBullQueue(url, yard.prefix, (bull) =>
      bull.add('train', { request, cancelRequestedAt: null }, { jobId: id }),
    );
    return yard.untilEnded(id);
  }

  it('publishes to the model of its data set if an earlier version queued it, and has no benefit of the doubt before its last epoch', async () => {
    await open({ empty: true });
    const request = { ...poor, testImages: 100, epochs: 2, calibrationImages: 0, outliers: 0, otherHands: 0 };
    expect(await trainAsEarlier(request)).toMatchObject({
      status: 'succeeded',
      request: { model: 'mnist', promote: 'unless-worse', outliers: 0, calibrationImages: 0 },
      promotion: { decision: 'promoted' },
    });
    // A champion that reads one image more than the same job's first epoch, which by chance means nothing.
    const { images, bits } = (await yard.store.correctness(1))!;
    const better = bits.map((byte, index) => (index === bits.findIndex(hasGap) ? byte | (byte + 1) : byte));
    await adopt('letters', { correctness: { images, bits: better } });
    const { id } = await train({ ...request, model: 'letters' });
    const decided = (await eventsOf(id)).filter(({ type }) => type === 'kept' || type === 'promoted');
    expect(decided).toMatchObject([
      { type: 'kept', version: 4, reason: expect.stringContaining('its job goes on, and it is not as good') },
      { type: 'promoted', version: 5, reason: expect.stringContaining('no worse') },
    ]);
  });

  it('publishes to the model that it names, which has a champion of its own', async () => {
    await open();
    const job = await train({ ...poor, model: 'letters' });
    expect(job).toMatchObject({
      request: { model: 'letters' },
      promotion: { decision: 'promoted', champion: 2 },
    });
    expect(await yard.store.manifest(2)).toMatchObject({ model: 'letters', test: { images: 300 } });
    expect(await champion()).toBe(1);
  });

  it('is compared also with a version that was published without its results, and with fewer test images', async () => {
    await open();
    const version = await adopt('old');
    const job = await train({ ...poor, testImages: 100, model: 'old' });
    expect(job.promotion).toMatchObject({ decision: 'kept', against: version });
    expect(await registry.history('old', 1)).toMatchObject([{ comparison: { images: 300 } }]);
  });

  it('is decided about also where the best champion can not be read', async () => {
    await open();
    for (const name of ['correct.bits', 'weights.bin']) {
      const file = join(yard.dataDir, 'models/1', name);
      await rm(file);
      await symlink('/proc/self/mem', file); // reading it gives EIO
    }
    expect(await train(poor)).toMatchObject({
      status: 'succeeded',
      attempt: 1,
      promotion: { decision: 'kept', champion: 1, against: null },
    });
  });
});
