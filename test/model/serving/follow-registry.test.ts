import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { seal } from '../../../src/lib/sealed-json.ts';
import type { Draft } from '../../../src/model/registry/transitions.ts';
import type { FollowPorts } from '../../../src/model/serving/follow-registry.ts';
import type { ModelStore } from '../../../src/model/store/store.ts';
import { makeChampion } from '../registry/champion.ts';
import { damage, pathOf, publish } from '../store/versions.ts';
import { type Following, failing, openFollowing } from './following.ts';

let dataDir: Following['dataDir'];
let store: Following['store'];
let registry: Following['registry'];
let loaded: Following['loaded'];
let news: Following['news'];
let checkWith: Following['checkWith'];
let champion: Following['champion'];
let serving: Following['serving'];
let promote: Following['promote'];
beforeEach(async () => {
  ({ dataDir, store, registry, loaded, news, checkWith, champion, serving, promote } = await openFollowing());
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => void vi.useRealTimers());

describe('following the registry', () => {
  it('serves nothing before the first version, then each champion, loaded once', async () => {
    const check = checkWith();
    await check();
    expect(champion()).toBeNull();
    await promote();
    await check();
    await check();
    expect(champion()).toBe(1);
    await promote();
    await check();
    expect(champion()).toBe(2);
    expect(loaded).toEqual([1, 2]);
    expect(news).toEqual([]);
  });

  it('leaves the champion in place while newer versions are published, and loads none of them', async () => {
    const check = checkWith();
    await promote();
    for (let count = 0; count < 3; count++) await publish(store);
    await check();
    expect(champion()).toBe(1);
    expect(loaded).toEqual([1]);
  });

  it('adopts the newest version of a store from before there was a registry, and writes that down', async () => {
    for (let count = 0; count < 3; count++) await publish(store);
    await checkWith()();
    expect(champion()).toBe(3);
    expect(await registry.history('mnist', 10)).toMatchObject([
      { number: 1, action: 'adopted', from: null, to: 3, by: 'the server' },
    ]);
    await publish(store);
    await checkWith()();
    expect(champion()).toBe(3);
  });

  it('adopts a model whose first decision was not finished', async () => {
    await mkdir(join(dataDir, 'registry/mnist/.staging-1'), { recursive: true });
    await publish(store);
    await checkWith()();
    expect(champion()).toBe(1);
  });

  it.each(['manifest.json', 'model.json'])(
    'adopts no older version while %s of the newest can not be read',
    async (name) => {
      for (let count = 0; count < 2; count++) await publish(store);
      const file = pathOf(dataDir, 2, name);
      const bytes = await readFile(file);
      await rm(file);
      await symlink('/proc/self/mem', file); // reading it gives EIO
      const check = checkWith();
      for (let count = 0; count < 2; count++) await check();
      expect(champion()).toBeNull();
      expect(await registry.models()).toEqual([]);
      await rm(file);
      await writeFile(file, bytes);
      vi.advanceTimersByTime(2500);
      await check();
      expect(champion()).toBe(2);
    },
  );

  it("adopts an older version where the newer ones are lost or another program's", async () => {
    for (let count = 0; count < 4; count++) await publish(store);
    await writeFile(pathOf(dataDir, 4, 'manifest.json'), seal({ format: 99 }).bytes);
    await damage(dataDir, 3);
    await writeFile(pathOf(dataDir, 2, 'manifest.json'), '{}');
    await checkWith()();
    expect(champion()).toBe(1);
  });

  it('is done once by many servers at once', async () => {
    await publish(store);
    await Promise.all(Array.from({ length: 5 }, () => checkWith()()));
    expect(await registry.history('mnist', 10)).toHaveLength(1);
  });

  it('serves several models side by side', async () => {
    const check = checkWith();
    await promote();
    const version = await publish(store, 0.1, 'letters');
    await check();
    expect(serving()).toMatchObject({ mnist: { champion: 1 }, letters: { champion: version } });
  });

  it('reports once that the store can not be read, and once that it can, and goes on', async () => {
    const check = checkWith();
    const models = join(dataDir, 'models');
    await writeFile(models, 'not a directory');
    for (let count = 0; count < 3; count++) await check();
    expect(news).toEqual([{ type: 'storeUnreadable', reason: expect.stringContaining('ENOTDIR') }]);
    await rm(models);
    await promote();
    for (let count = 0; count < 3; count++) await check();
    expect(champion()).toBe(1);
    expect(news.slice(1)).toEqual([{ type: 'storeReadable' }]);
  });

  it('goes on serving the champion while the next one is not loaded', async () => {
    let finish = () => {};
    let begun = () => {};
    const isLoading = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const load: FollowPorts['load'] = async ({ manifest }) => {
      if (manifest.version === 1) return;
      begun();
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    };
    const check = checkWith({ load });
    await promote();
    await check();
    await promote();
    const checked = check();
    await isLoading;
    expect(champion()).toBe(1);
    finish();
    await checked;
    expect(champion()).toBe(2);
  });
});

describe('a champion that can not be served', () => {
  it('goes to quarantine when it is damaged, and the champion before it answers, which is written down', async () => {
    const check = checkWith();
    for (let count = 0; count < 3; count++) await promote();
    await damage(dataDir, 2);
    await rm(pathOf(dataDir, 3, 'model.json'));
    await check();
    expect(champion()).toBe(1);
    expect(news).toMatchObject([
      { type: 'damaged', version: 3, reason: expect.stringMatching(/^model.json of model 3/) },
      { type: 'damaged', version: 2, reason: expect.stringMatching(/^weights.bin of model 2/) },
    ]);
    expect(await store.versions()).toEqual([1]);
    expect((await store.quarantined()).map(({ version }) => version)).toEqual([3, 2]);
    expect(await registry.history('mnist', 1)).toMatchObject([
      { action: 'replaced', from: 3, to: 1, reason: 'model 3 is damaged or gone' },
    ]);
  });

  it('gives way to the newest version of its model where there was no champion before it', async () => {
    for (let count = 0; count < 2; count++) await publish(store);
    await promote();
    await damage(dataDir, 3);
    await checkWith()();
    expect(champion()).toBe(2);
  });

  it.each(['EMFILE', 'EACCES', 'EIO'])('that failed with %s answers once it can be read', async (code) => {
    await promote();
    let passed = false;
    const load: ModelStore['load'] = (version) =>
      passed ? store.load(version) : Promise.reject(failing(code));
    const check = checkWith({ store: { ...store, load } });
    await check();
    passed = true;
    await check(); // not yet
    expect(champion()).toBeNull();
    vi.advanceTimersByTime(2500);
    await check();
    expect(champion()).toBe(1);
    expect(await store.quarantined()).toEqual([]);
  });

  it('stays champion while it can not be read; the one before it answers meanwhile', async () => {
    await promote();
    await promote();
    const file = pathOf(dataDir, 2, 'model.json');
    const bytes = await readFile(file);
    await rm(file);
    await symlink('/proc/self/mem', file); // reading it gives EIO
    const check = checkWith();
    for (let count = 0; count < 3; count++) {
      await check();
      vi.advanceTimersByTime(2500);
    }
    expect(champion()).toBe(1);
    expect(news).toMatchObject([{ type: 'notServed', version: 2, reason: expect.stringContaining('EIO') }]);
    expect(await store.versions()).toEqual([2, 1]);
    await rm(file);
    await writeFile(file, bytes);
    await check();
    expect(champion()).toBe(2);
  });

  it('leaves the one before in place when the engine refuses it', async () => {
    await promote();
    await promote();
    const load: FollowPorts['load'] = async ({ manifest }) => {
      if (manifest.version === 2) throw new Error('out of memory');
    };
    await checkWith({ load })();
    expect(champion()).toBe(1);
    expect(news).toEqual([{ type: 'notServed', version: 2, reason: 'out of memory' }]);
  });

  it('is moved to quarantine later where it can not be moved now', async () => {
    await promote();
    await promote();
    await damage(dataDir, 2);
    let readOnly = true;
    const quarantine: ModelStore['quarantine'] = (...order) =>
      readOnly ? Promise.reject(failing('EROFS')) : store.quarantine(...order);
    const check = checkWith({ store: { ...store, quarantine } });
    await check();
    await check();
    expect(champion()).toBe(1);
    readOnly = false;
    vi.advanceTimersByTime(2500);
    await check();
    expect(champion()).toBe(1);
    expect(news).toMatchObject([
      { type: 'notServed', version: 2, reason: expect.stringMatching(/SHA-256.*could not be moved.*EROFS/) },
      { type: 'damaged', version: 2 },
    ]);
  });

  it('is replaced without a word about damage when it is simply gone', async () => {
    await promote();
    await promote();
    await rm(pathOf(dataDir, 2), { recursive: true });
    await checkWith()();
    expect(champion()).toBe(1);
    expect(news).toEqual([]);
  });
});

describe('the retention rule', () => {
  it('runs after a change and after a new version, and only then', async () => {
    let runs = 0;
    const retain: ModelStore['retain'] = (...order) => {
      runs++;
      return store.retain(...order);
    };
    const check = checkWith({ keepModels: 2, store: { ...store, retain } });
    for (let count = 1; count <= 4; count++) await publish(store, 1 / count);
    await makeChampion(dataDir, 4);
    for (let count = 0; count < 3; count++) await check();
    expect(news).toEqual([{ type: 'removed', versions: [2] }]); // 1 is the best
    await publish(store, 0.1); // it does not become champion
    for (let count = 0; count < 3; count++) await check();
    expect(await store.versions()).toEqual([5, 4, 1]);
    expect(runs).toBe(2);
  });

  it('spares the last five champions and what an alias points to', async () => {
    const check = checkWith({ keepModels: 1, servedModels: 1 });
    await publish(store, 0.2);
    const write: Draft = { action: 'moved', alias: 'old', to: 1, by: 'a test', reason: '' };
    for (let count = 0; count < 7; count++) await promote(0.1);
    await registry.decide('mnist', async () => ({ write }));
    await publish(store, 0.1);
    await check();
    expect(await store.versions()).toEqual([9, 8, 7, 6, 5, 4, 1]);
  });

  it('does not keep the champion from answering when it can delete nothing', async () => {
    await promote();
    const retain = () => Promise.reject(failing('EROFS'));
    await checkWith({ store: { ...store, retain } })();
    expect(champion()).toBe(1);
    expect(news).toMatchObject([{ type: 'notRemoved', reason: expect.stringContaining('EROFS') }]);
  });
});
