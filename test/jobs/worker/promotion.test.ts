/** What the gate decides about the versions of real jobs, and where that is told. */
import { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobEvent } from '../../../src/jobs/events.ts';
import { openRegistry, type Registry } from '../../../src/model/registry/registry.ts';
import { testedOf } from '../../../src/model/registry/tested.ts';
import { provenanceSchema } from '../../../src/model/store/manifest.ts';
import { startRedisServer } from '../redis-server.ts';
import { openYard, type RequestInput, type Yard } from '../yard.ts';

const { url } = await startRedisServer();

let yard: Yard;
let registry: Registry;
beforeEach(async () => {
  yard = await openYard(url);
  registry = openRegistry(yard.dataDir);
  await yard.startWorker();
});

/** 2 s and 97 %; and a run of a fifth of that. */
const good: RequestInput = { trainImages: 6400, testImages: 1000, batchSize: 64 };
const poor: RequestInput = { trainImages: 1280, testImages: 1000, batchSize: 64 };

async function train(request: RequestInput) {
  const { id } = await yard.enqueue(request);
  return yard.untilEnded(id);
}

async function eventsOf(id: string): Promise<JobEvent[]> {
  const redis = new Redis(url);
  const texts = await redis.lrange(`${yard.prefix}:train:${id}:logs`, 0, -1);
  redis.disconnect();
  return texts.map((text) => JSON.parse(text) as JobEvent);
}

const champion = async () => (await registry.read('mnist'))?.aliases['champion']?.version;

describe('a job', () => {
  it('has its first version promoted, and a much worse one kept, with the numbers that say why', async () => {
    const first = await train(good);
    expect(first.promotion).toMatchObject({ decision: 'promoted', version: 1, champion: 1, against: null });
    const second = await train(poor);
    expect(second.promotion).toMatchObject({ decision: 'kept', version: 2, champion: 1, against: 1 });
    const { onlyCandidate, onlyChampion, p } = second.promotion!;
    expect(onlyCandidate!).toBeLessThan(onlyChampion!);
    expect(p!).toBeLessThan(0.01);
    expect(await champion()).toBe(1);
    const types = (await eventsOf(second.id)).map(({ type }) => type);
    expect(types.slice(-3)).toEqual(['checkpoint', 'kept', 'done']);
    expect(await eventsOf(first.id)).toContainEqual(
      expect.objectContaining({ type: 'promoted', version: 1 }),
    );
    expect(await registry.history('mnist', 1)).toMatchObject([
      { action: 'kept', to: 2, by: `job ${second.id}` },
    ]);

    const third = await train({ ...poor, promote: 'always' });
    expect(third.promotion).toMatchObject({ decision: 'promoted', champion: 3 });
    const fourth = await train({ ...good, promote: 'never' });
    expect(fourth.promotion).toMatchObject({ decision: 'held', champion: 3 });
  });

  it('has no benefit of the doubt before its last epoch', async () => {
    await train({ ...good, testImages: 4 });
    const { id } = await train({ trainImages: 64, batchSize: 64, testImages: 4, epochs: 2 }); // four images prove nothing
    const decided = (await eventsOf(id)).filter(({ type }) => type === 'kept' || type === 'promoted');
    expect(decided).toMatchObject([
      { type: 'kept', version: 2, reason: expect.stringContaining('its job goes on') },
      { type: 'promoted', version: 3, reason: expect.stringContaining('no worse') },
    ]);
  });

  it('publishes to the model that it names, which has a champion of its own', async () => {
    await train(good);
    const job = await train({ ...poor, model: 'letters' });
    expect(job).toMatchObject({
      request: { model: 'letters' },
      promotion: { decision: 'promoted', champion: 2 },
    });
    expect(await yard.store.manifest(2)).toMatchObject({ model: 'letters', test: { images: 1000 } });
    expect(await champion()).toBe(1);
  });

  it('is compared also with a version that was published without its results, and with fewer test images', async () => {
    await train(good);
    const { manifest, weights } = await yard.store.load(1);
    const { model: _, test: __, ...older } = provenanceSchema.parse(manifest);
    const { version } = await yard.store.publish(manifest.network, weights, older);
    const write = {
      action: 'adopted',
      alias: 'champion',
      to: version,
      by: 'the server',
      reason: 'newest',
    } as const;
    const tested = testedOf((await yard.store.manifest(version))!);
    await registry.decide('old', async () => ({ write: { ...write, tested } }));
    const job = await train({ ...poor, testImages: 100, model: 'old' });
    expect(job.promotion).toMatchObject({ decision: 'kept', against: version });
    expect(await registry.history('old', 1)).toMatchObject([{ comparison: { images: 1000 } }]);
  });
});
