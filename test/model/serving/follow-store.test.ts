import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { followStore, type StoreNews } from '../../../src/model/serving/follow-store.ts';
import { type ModelStore, openStore } from '../../../src/model/store/store.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { damage, pathOf, publish } from '../store/versions.ts';

let dataDir: string;
let store: ModelStore;
let served: number[];
let news: StoreNews[];
beforeEach(async () => {
  dataDir = await temporaryDirectory();
  store = openStore(dataDir);
  served = [];
  news = [];
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function follow(change: Partial<Parameters<typeof followStore>[0]> = {}): () => Promise<void> {
  return followStore({
    store,
    keepModels: 20,
    swapIn: async ({ manifest }) => {
      served.push(manifest.version);
    },
    tell: (told) => news.push(told),
    ...change,
  });
}

const failing = (code: string) => Object.assign(new Error(`${code}: it failed`), { code });

describe('following the store', () => {
  it('serves the newest version, each once', async () => {
    const look = follow();
    await look();
    await publish(store);
    await publish(store);
    await look();
    await look();
    await publish(store);
    await look();
    expect(served).toEqual([2, 3]);
    expect(news).toEqual([]);
  });

  it('says once that the store can not be read, and once that it can, and goes on', async () => {
    const look = follow();
    const models = join(dataDir, 'models');
    await writeFile(models, 'not a directory');
    for (let count = 0; count < 3; count++) await look();
    expect(news).toEqual([{ type: 'storeUnreadable', reason: expect.stringContaining('ENOTDIR') }]);
    await rm(models);
    await publish(store);
    for (let count = 0; count < 3; count++) await look();
    expect(served).toEqual([1]);
    expect(news.slice(1)).toEqual([{ type: 'storeReadable' }]);
  });

  it('moves damaged ones to quarantine, says so, and serves the last good one', async () => {
    for (let count = 0; count < 4; count++) await publish(store);
    await damage(dataDir, 3);
    await rm(pathOf(dataDir, 4, 'model.json'));
    await follow()();
    expect(served).toEqual([2]);
    expect(news).toMatchObject([
      { type: 'damaged', version: 4, reason: expect.stringMatching(/^model.json of model 4/) },
      { type: 'damaged', version: 3, reason: expect.stringMatching(/^weights.bin of model 3/) },
    ]);
    expect(await store.versions()).toEqual([2, 1]);
    expect((await store.quarantined()).map(({ version }) => version)).toEqual([4, 3]);
  });

  it('goes on with the one it serves when all newer ones are damaged', async () => {
    const look = follow();
    await publish(store);
    await look();
    await publish(store);
    await damage(dataDir, 2, 'manifest.json');
    await look();
    await publish(store);
    await look();
    expect(served).toEqual([1, 3]);
  });

  it('moves nothing that the system could not read, serves an older one, and tries again', async () => {
    await publish(store);
    await publish(store);
    await rm(pathOf(dataDir, 2, 'model.json'));
    await symlink('/proc/self/mem', pathOf(dataDir, 2, 'model.json')); // reading it gives EIO
    const look = follow();
    for (let count = 0; count < 3; count++) {
      await look();
      vi.advanceTimersByTime(2500);
    }
    expect(served).toEqual([1]);
    expect(news).toMatchObject([{ type: 'notServed', version: 2, reason: expect.stringContaining('EIO') }]);
    expect(await store.versions()).toEqual([2, 1]);
    expect(await store.quarantined()).toEqual([]);
  });

  it.each(['EMFILE', 'EACCES', 'EIO'])(
    'serves what %s kept from it as soon as that has passed',
    async (code) => {
      await publish(store);
      let passed = false;
      const load: ModelStore['load'] = (version) =>
        passed ? store.load(version) : Promise.reject(failing(code));
      const look = follow({ store: { ...store, load } });
      await look();
      passed = true;
      await look(); // not yet
      expect(served).toEqual([]);
      vi.advanceTimersByTime(2500);
      await look();
      expect(served).toEqual([1]);
      expect(await store.quarantined()).toEqual([]);
    },
  );

  it('does not follow into a model that the engine refuses', async () => {
    await publish(store);
    await publish(store);
    const swapIn = async ({ manifest }: { manifest: { version: number } }) => {
      if (manifest.version === 2) throw new Error('out of memory');
      served.push(manifest.version);
    };
    await follow({ swapIn })();
    expect(served).toEqual([1]);
    expect(news).toEqual([{ type: 'notServed', version: 2, reason: 'out of memory' }]);
  });

  it('bears with damage that it may not move, and moves it when it may', async () => {
    await publish(store);
    await publish(store);
    await damage(dataDir, 2);
    let readOnly = true;
    const quarantine: ModelStore['quarantine'] = (...order) =>
      readOnly ? Promise.reject(failing('EROFS')) : store.quarantine(...order);
    const look = follow({ store: { ...store, quarantine } });
    await look();
    await look();
    readOnly = false;
    vi.advanceTimersByTime(2500);
    await look();
    expect(served).toEqual([1]);
    expect(news).toMatchObject([
      { type: 'notServed', version: 2, reason: expect.stringMatching(/SHA-256.*could not be moved.*EROFS/) },
      { type: 'damaged', version: 2 },
    ]);
  });

  it('says nothing of a version that is gone when it is read', async () => {
    await publish(store);
    const versions = async () => [2, ...(await store.versions())];
    await follow({ store: { ...store, versions } })();
    expect(served).toEqual([1]);
    expect(news).toEqual([]);
  });

  it('bears with a store that can not be listed', async () => {
    await publish(store);
    let readable = false;
    const versions = () => (readable ? store.versions() : Promise.reject(failing('EIO')));
    const look = follow({ store: { ...store, versions } });
    await look();
    readable = true;
    await look();
    expect(served).toEqual([1]);
  });

  it('deletes old versions after a swap, and only then', async () => {
    const look = follow({ keepModels: 2 });
    for (let count = 1; count <= 4; count++) await publish(store, 1 / count);
    await look();
    expect(news).toEqual([{ type: 'removed', versions: [2] }]); // 1 is the best
    await publish(store, 0.1);
    expect(await store.versions()).toEqual([5, 4, 3, 1]);
    await look();
    expect(await store.versions()).toEqual([5, 4, 1]);
  });

  it('goes on serving when old versions can not be deleted', async () => {
    await publish(store);
    const retain = () => Promise.reject(failing('EROFS'));
    await follow({ store: { ...store, retain } })();
    expect(served).toEqual([1]);
    expect(news).toMatchObject([{ type: 'notRemoved', reason: expect.stringContaining('EROFS') }]);
  });
});
