import { mkdir, readdir, rm } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ModelStore, openStore } from '../../../src/model/store/store.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { damage, pathOf, publish } from './versions.ts';

let dataDir: string;
let store: ModelStore;
beforeEach(async () => {
  dataDir = await temporaryDirectory();
  store = openStore(dataDir);
});

async function publishWith(accuracies: number[]): Promise<void> {
  for (const accuracy of accuracies) await publish(store, accuracy);
}

describe('retention', () => {
  it('deletes nothing from a store that is small enough', async () => {
    await publishWith([0.1, 0.2]);
    expect(await store.retain(2, new Set([2]))).toEqual([]);
    expect(await store.versions()).toEqual([2, 1]);
  });

  it('keeps the newest, the best and the served', async () => {
    await publishWith([0.5, 0.9, 0.6, 0.7, 0.8, 0.4]);
    expect(await store.retain(2, new Set([3]))).toEqual([4, 1]);
    expect(await store.versions()).toEqual([6, 5, 3, 2]);
    expect((await readdir(pathOf(dataDir))).toSorted()).toEqual(['.numbers', '2', '3', '5', '6']);
  });

  it('keeps the newest of equally good ones', async () => {
    await publishWith([0.9, 0.9, 0.5]);
    expect(await store.retain(1, new Set([3]))).toEqual([1]);
  });

  it('counts the best when it is among the newest only once', async () => {
    await publishWith([0.5, 0.6, 0.9]);
    expect(await store.retain(1, new Set([3]))).toEqual([2, 1]);
  });

  it('leaves what it can not read to quarantine', async () => {
    await publishWith([0.9, 0.8, 0.7, 0.6]);
    await damage(dataDir, 1, 'manifest.json');
    expect(await store.retain(1, new Set([4]))).toEqual([3]);
    expect(await store.versions()).toEqual([4, 2, 1]);
  });

  it('is right again after a better one has come, or the best has gone', async () => {
    await publishWith([0.9, 0.5, 0.5]);
    expect(await store.retain(1, new Set([3]))).toEqual([2]);
    await publishWith([0.95]);
    expect(await store.retain(1, new Set([4]))).toEqual([3, 1]);
    await rm(pathOf(dataDir, 4), { recursive: true });
    await publishWith([0.3, 0.2]);
    expect(await store.retain(1, new Set([6]))).toEqual([]);
    expect(await store.versions()).toEqual([6, 5]);
  });

  it('is done once by many servers at once', async () => {
    await publishWith([0.1, 0.2, 0.3, 0.4]);
    const servers = Array.from({ length: 6 }, () => openStore(dataDir).retain(1, new Set([4])));
    const removed = (await Promise.all(servers)).flat();
    expect(removed.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    expect(await store.versions()).toEqual([4]);
  });

  it('has what a killed one left behind cleared away by the next writer', async () => {
    await mkdir(pathOf(dataDir, '.removed-7-x'), { recursive: true });
    await publish(store);
    expect((await readdir(pathOf(dataDir))).toSorted()).toEqual(['.numbers', '1']);
  });
});

describe('a watcher that reads all the time', () => {
  it('sees whole versions only, while thirty are published and old ones deleted', async () => {
    const watcher = openStore(dataDir);
    const over = new AbortController();
    const outcomes = { whole: 0, MODEL_NOT_FOUND: 0 } as Record<string, number>;
    const watch = async () => {
      while (!over.signal.aborted) {
        for (const version of await watcher.versions()) {
          const outcome = await watcher.load(version).then(
            () => 'whole',
            (error: { code: string }) => error.code,
          );
          outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        }
      }
    };
    const watching = Promise.all([watch(), watch()]);
    for (let count = 1; count <= 30; count++)
      await store.retain(3, new Set([await publish(store, 1 / count)]));
    over.abort();
    await watching;
    console.log(`watcher: ${JSON.stringify(outcomes)}`);
    expect(Object.keys(outcomes)).toEqual(['whole', 'MODEL_NOT_FOUND']); // and no half one
    expect(outcomes['whole']).toBeGreaterThan(30);
    expect(await store.versions()).toEqual([30, 29, 28, 1]);
  });
});
