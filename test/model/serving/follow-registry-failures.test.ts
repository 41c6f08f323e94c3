/** The follower beside logs that can't be read and aliases whose version can't be loaded. */
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Draft } from '../../../src/model/registry/transitions.ts';
import type { ModelStore } from '../../../src/model/store/store.ts';
import { makeChampion } from '../registry/champion.ts';
import { damage, publish } from '../store/versions.ts';
import { type Following, failing, openFollowing } from './following.ts';

let dataDir: Following['dataDir'];
let store: Following['store'];
let registry: Following['registry'];
let news: Following['news'];
let checkWith: Following['checkWith'];
let champion: Following['champion'];
let serving: Following['serving'];
let promote: Following['promote'];
beforeEach(async () => {
  ({ dataDir, store, registry, news, checkWith, champion, serving, promote } = await openFollowing());
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => void vi.useRealTimers());

describe('a model whose decisions can not be read', () => {
  const decision = () => join(dataDir, 'registry/mnist/1/decision.json');
  async function makeUnreadable(): Promise<void> {
    await rm(decision());
    await symlink('/proc/self/mem', decision()); // reading it gives EIO
  }

  it('is served as before and named once; the other models go on', async () => {
    const check = checkWith();
    await promote();
    await check();
    await promote();
    const newest = join(dataDir, 'registry/mnist/2/decision.json');
    const bytes = await readFile(newest);
    await rm(newest);
    await symlink('/proc/self/mem', newest);
    const letters = await publish(store, 0.1, 'letters');
    for (let count = 0; count < 2; count++) await check();
    expect(serving()).toMatchObject({ mnist: { champion: 1 }, letters: { champion: letters } });
    expect(news).toEqual([
      { type: 'decisionsUnreadable', model: 'mnist', reason: expect.stringContaining('EIO') },
    ]);
    await rm(newest);
    await writeFile(newest, bytes);
    for (let count = 0; count < 2; count++) await check();
    expect(champion()).toBe(2);
    expect(news.slice(1)).toEqual([{ type: 'decisionsReadable', model: 'mnist' }]);
  });

  it('does not keep others from their first champion, and loses no version to the retention rule', async () => {
    for (const accuracy of [0.3, 0.9, 0.5]) await publish(store, accuracy);
    await makeChampion(dataDir, 1);
    await makeUnreadable();
    const letters = await publish(store, 0.1, 'letters');
    await publish(store, 0.1, 'letters');
    await checkWith({ keepModels: 1 })();
    expect(serving()).toMatchObject({ letters: { champion: letters + 1 } });
    expect(await store.versions()).toEqual([5, 3, 2, 1]);
  });
});

describe('an alias other than champion whose version is damaged', () => {
  const decide = (write: Draft) => registry.decide('mnist', async () => ({ write }));
  const said = { by: 'a test', reason: '' };
  beforeEach(async () => {
    await promote();
    await publish(store);
    await decide({ action: 'moved', alias: 'challenger', to: 2, ...said });
    const traffic = { champion: 80, challenger: 20 };
    await decide({ action: 'traffic', alias: null, to: null, ...said, traffic });
  });

  it('stays an alias after a restart, and its share of the traffic goes to the champion', async () => {
    await damage(dataDir, 2);
    await checkWith()();
    expect(serving()).toMatchObject({
      mnist: { champion: 1, aliases: { champion: 1, challenger: 2 }, traffic: { champion: 100 } },
    });
    expect(news).toMatchObject([{ type: 'damaged', version: 2 }]);
  });

  it('gets its share once the version can be loaded', async () => {
    let passed = false;
    const load: ModelStore['load'] = (version) =>
      passed || version === 1 ? store.load(version) : Promise.reject(failing('EIO'));
    const check = checkWith({ store: { ...store, load } });
    await check();
    expect(serving()['mnist']?.traffic).toEqual({ champion: 100 });
    passed = true;
    vi.advanceTimersByTime(2500);
    await check();
    expect(serving()['mnist']?.traffic).toEqual({ champion: 80, challenger: 20 });
  });

  it('has the quarantine listed once in a while only', async () => {
    await damage(dataDir, 2);
    let listings = 0;
    const quarantined: ModelStore['quarantined'] = (...most) => {
      listings++;
      return store.quarantined(...most);
    };
    const check = checkWith({ store: { ...store, quarantined } });
    await check(); // moves it there
    vi.advanceTimersByTime(2500);
    for (let count = 0; count < 10; count++) await check();
    expect(listings).toBe(1);
  });
});
