import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type StoreNews, serveNewestVersion } from '../../../src/model/serving/serve-newest-version.ts';
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

function checkWith(change: Partial<Parameters<typeof serveNewestVersion>[0]> = {}): () => Promise<void> {
  return serveNewestVersion({
    store,
    keepModels: 20,
    swapIn: async ({ manifest }) => {
      served.push(manifest.version);
    },
    report: (reported) => news.push(reported),
    ...change,
  });
}

const failing = (code: string) => Object.assign(new Error(`${code}: it failed`), { code });

describe('serving the newest version', () => {
  it('serves the newest version, each once', async () => {
    const check = checkWith();
    await check();
    await publish(store);
    await publish(store);
    await check();
    await check();
    await publish(store);
    await check();
    expect(served).toEqual([2, 3]);
    expect(news).toEqual([]);
  });

  it('reports once that the store can not be read, and once that it can, and goes on', async () => {
    const check = checkWith();
    const models = join(dataDir, 'models');
    await writeFile(models, 'not a directory');
    for (let count = 0; count < 3; count++) await check();
    expect(news).toEqual([{ type: 'storeUnreadable', reason: expect.stringContaining('ENOTDIR') }]);
    await rm(models);
    await publish(store);
    for (let count = 0; count < 3; count++) await check();
    expect(served).toEqual([1]);
    expect(news.slice(1)).toEqual([{ type: 'storeReadable' }]);
  });

  it('moves damaged versions to quarantine, reports them, and serves the last good one', async () => {
    for (let count = 0; count < 4; count++) await publish(store);
    await damage(dataDir, 3);
    await rm(pathOf(dataDir, 4, 'model.json'));
    await checkWith()();
    expect(served).toEqual([2]);
    expect(news).toMatchObject([
      { type: 'damaged', version: 4, reason: expect.stringMatching(/^model.json of model 4/) },
      { type: 'damaged', version: 3, reason: expect.stringMatching(/^weights.bin of model 3/) },
    ]);
    expect(await store.versions()).toEqual([2, 1]);
    expect((await store.quarantined()).map(({ version }) => version)).toEqual([4, 3]);
  });

  it('goes on serving the same version when all newer ones are damaged', async () => {
    const check = checkWith();
    await publish(store);
    await check();
    await publish(store);
    await damage(dataDir, 2, 'manifest.json');
    await check();
    await publish(store);
    await check();
    expect(served).toEqual([1, 3]);
  });

  it('leaves a version that can not be read in its place, serves an older one, and tries again', async () => {
    await publish(store);
    await publish(store);
    await rm(pathOf(dataDir, 2, 'model.json'));
    await symlink('/proc/self/mem', pathOf(dataDir, 2, 'model.json')); // reading it gives EIO
    const check = checkWith();
    for (let count = 0; count < 3; count++) {
      await check();
      vi.advanceTimersByTime(2500);
    }
    expect(served).toEqual([1]);
    expect(news).toMatchObject([{ type: 'notServed', version: 2, reason: expect.stringContaining('EIO') }]);
    expect(await store.versions()).toEqual([2, 1]);
    expect(await store.quarantined()).toEqual([]);
  });

  it.each(['EMFILE', 'EACCES', 'EIO'])(
    'serves a version that failed with %s once it can be read',
    async (code) => {
      await publish(store);
      let passed = false;
      const load: ModelStore['load'] = (version) =>
        passed ? store.load(version) : Promise.reject(failing(code));
      const check = checkWith({ store: { ...store, load } });
      await check();
      passed = true;
      await check(); // not yet
      expect(served).toEqual([]);
      vi.advanceTimersByTime(2500);
      await check();
      expect(served).toEqual([1]);
      expect(await store.quarantined()).toEqual([]);
    },
  );

  it('serves an older version when the engine refuses the newest', async () => {
    await publish(store);
    await publish(store);
    const swapIn = async ({ manifest }: { manifest: { version: number } }) => {
      if (manifest.version === 2) throw new Error('out of memory');
      served.push(manifest.version);
    };
    await checkWith({ swapIn })();
    expect(served).toEqual([1]);
    expect(news).toEqual([{ type: 'notServed', version: 2, reason: 'out of memory' }]);
  });

  it('keeps serving when a damaged version can not be moved, and moves it later', async () => {
    await publish(store);
    await publish(store);
    await damage(dataDir, 2);
    let readOnly = true;
    const quarantine: ModelStore['quarantine'] = (...order) =>
      readOnly ? Promise.reject(failing('EROFS')) : store.quarantine(...order);
    const check = checkWith({ store: { ...store, quarantine } });
    await check();
    await check();
    readOnly = false;
    vi.advanceTimersByTime(2500);
    await check();
    expect(served).toEqual([1]);
    expect(news).toMatchObject([
      { type: 'notServed', version: 2, reason: expect.stringMatching(/SHA-256.*could not be moved.*EROFS/) },
      { type: 'damaged', version: 2 },
    ]);
  });

  it('reports nothing about a version that is gone when it is read', async () => {
    await publish(store);
    const versions = async () => [2, ...(await store.versions())];
    await checkWith({ store: { ...store, versions } })();
    expect(served).toEqual([1]);
    expect(news).toEqual([]);
  });

  it('serves once a store that could not be listed can be', async () => {
    await publish(store);
    let readable = false;
    const versions = () => (readable ? store.versions() : Promise.reject(failing('EIO')));
    const check = checkWith({ store: { ...store, versions } });
    await check();
    readable = true;
    await check();
    expect(served).toEqual([1]);
  });

  it('deletes old versions after a swap, and only then', async () => {
    const check = checkWith({ keepModels: 2 });
    for (let count = 1; count <= 4; count++) await publish(store, 1 / count);
    await check();
    expect(news).toEqual([{ type: 'removed', versions: [2] }]); // 1 is the best
    await publish(store, 0.1);
    expect(await store.versions()).toEqual([5, 4, 3, 1]);
    await check();
    expect(await store.versions()).toEqual([5, 4, 1]);
  });

  it('keeps serving when old versions can not be deleted', async () => {
    await publish(store);
    const retain = () => Promise.reject(failing('EROFS'));
    await checkWith({ store: { ...store, retain } })();
    expect(served).toEqual([1]);
    expect(news).toMatchObject([{ type: 'notRemoved', reason: expect.stringContaining('EROFS') }]);
  });
});
