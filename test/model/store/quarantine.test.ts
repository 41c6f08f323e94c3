import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import * as fc from 'fast-check';
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

describe('quarantine', () => {
  it('is empty at first', async () => {
    expect(await store.quarantined()).toEqual([]);
  });

  it('takes a version out of the list, whole, with the reason', async () => {
    await publish(store);
    await publish(store);
    await store.quarantine(2, 'weights.bin: a reason');
    expect(await store.versions()).toEqual([1]);
    expect(await store.manifest(2)).toBeNull();
    expect((await readdir(pathOf(dataDir, 'quarantine', '2'))).toSorted()).toEqual([
      'evaluation.json',
      'manifest.json',
      'model.json',
      'reason.json',
      'weights.bin',
    ]);
    const at = expect.stringMatching(/^\d{4}-.*Z$/);
    expect(await store.quarantined()).toEqual([{ version: 2, reason: 'weights.bin: a reason', at }]);
  });

  it('names the newest first, and no more than asked for', async () => {
    for (let version = 1; version <= 11; version++) {
      await mkdir(pathOf(dataDir, version), { recursive: true });
      await store.quarantine(version, `reason ${version}`);
    }
    expect((await store.quarantined(3)).map(({ version }) => version)).toEqual([11, 10, 9]);
    expect(await store.quarantined()).toHaveLength(11);
  });

  it('is done once by many servers at once', async () => {
    await publish(store);
    const servers = Array.from({ length: 8 }, () => openStore(dataDir));
    await Promise.all(servers.map((server) => server.quarantine(1, 'damaged')));
    expect(await readdir(pathOf(dataDir, 'quarantine'))).toEqual(['1']);
    expect(await store.quarantined()).toMatchObject([{ version: 1, reason: 'damaged' }]);
  });

  it('keeps a version that was put back and is damaged again beside the first', async () => {
    await publish(store);
    await store.quarantine(1, 'first');
    await mkdir(pathOf(dataDir, 1));
    await store.quarantine(1, 'second');
    expect((await readdir(pathOf(dataDir, 'quarantine'))).toSorted()).toEqual(['1', '1-2']);
    const reasons = (await store.quarantined()).map(({ version, reason }) => `${version} ${reason}`);
    expect(new Set(reasons)).toEqual(new Set(['1 first', '1 second']));
  });

  it.each([null, '', '{"version": 1}'])('bears with reason.json %j', async (text) => {
    await mkdir(pathOf(dataDir, 'quarantine', '1'), { recursive: true });
    if (text !== null) await writeFile(pathOf(dataDir, 'quarantine', '1', 'reason.json'), text);
    const reason = expect.stringContaining('not recorded');
    expect(await store.quarantined()).toEqual([{ version: 1, reason, at: null }]);
  });
});

describe('a version number', () => {
  it('is not given out again after its version was put in quarantine, nor after that was emptied', async () => {
    await publish(store);
    await publish(store);
    await store.quarantine(2, 'damaged');
    expect(await publish(store)).toBe(3);
    await store.quarantine(3, 'damaged');
    await rm(pathOf(dataDir, 'quarantine'), { recursive: true });
    expect(await publish(store)).toBe(4);
  });

  it('is not given out again by a store whose record of numbers is lost', async () => {
    await publish(store);
    await publish(store);
    await store.quarantine(2, 'damaged');
    await rm(pathOf(dataDir, '.numbers'), { recursive: true });
    expect(await publish(store)).toBe(3);
  });

  it('grows past what a person has put there', async () => {
    await mkdir(pathOf(dataDir, 41), { recursive: true });
    await mkdir(pathOf(dataDir, '99999999999999999999')); // no number that counts
    expect(await publish(store)).toBe(42);
  });

  it('only grows, whatever happens to the versions before', async () => {
    const step = fc.constantFrom('publish', 'publish both', 'quarantine', 'delete', 'empty', 'retain');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        dataDir = await temporaryDirectory();
        store = openStore(dataDir);
        let highest = 0;
        for (const name of [...steps, 'publish'] as const) {
          const published = await carryOut(name);
          for (const version of published) expect(version).toBeGreaterThan(highest);
          expect(new Set(published).size).toBe(published.length);
          highest = Math.max(highest, ...published);
        }
      }),
      { numRuns: 15 },
    );
  });

  async function carryOut(step: string): Promise<number[]> {
    const [newest] = await store.versions();
    if (step === 'publish') return [await publish(store)];
    if (step === 'publish both') return Promise.all([publish(store), publish(openStore(dataDir))]);
    if (step === 'quarantine' && newest) await store.quarantine(newest, 'damaged');
    if (step === 'delete' && newest) await rm(pathOf(dataDir, newest), { recursive: true });
    if (step === 'empty') await rm(pathOf(dataDir, 'quarantine'), { recursive: true, force: true });
    if (step === 'retain' && newest) await store.retain(1, new Set([newest]));
    return [];
  }

  it('keeps a record of the last hundred only', async () => {
    await mkdir(pathOf(dataDir, '.numbers'), { recursive: true });
    for (let number = 1; number <= 150; number++) await writeFile(pathOf(dataDir, '.numbers', number), '');
    expect(await publish(store)).toBe(151);
    expect(await readdir(pathOf(dataDir, '.numbers'))).toHaveLength(100);
  });
});

describe('a store with a version that was moved while it was read', () => {
  it('calls it gone, not damaged', async () => {
    await publish(store);
    await damage(dataDir, 1);
    await rename(pathOf(dataDir, 1), pathOf(dataDir, '.away'));
    await expect(store.load(1)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });
});
