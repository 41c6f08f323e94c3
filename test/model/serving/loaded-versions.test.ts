import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ModelStore } from '../../../src/model/store/store.ts';
import { damage, publish } from '../store/versions.ts';
import { type Following, failing, openFollowing } from './following.ts';

let dataDir: Following['dataDir'];
let store: Following['store'];
let loaded: Following['loaded'];
let follow: Following['follow'];
let champion: Following['champion'];
let promote: Following['promote'];
beforeEach(async () => {
  ({ dataDir, store, loaded, follow, champion, promote } = await openFollowing());
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => void vi.useRealTimers());

describe('versions that a request names', () => {
  it('are loaded beside the champion, and the one used longest ago goes first', async () => {
    const follower = follow({ servedModels: 3 });
    await promote();
    for (let count = 0; count < 3; count++) await publish(store);
    await follower.check();
    for (const version of [2, 3])
      expect(await follower.loadPinned(version)).toEqual({ ok: true, model: 'mnist' });
    follower.touch(2);
    await follower.loadPinned(4);
    expect(loaded).toEqual([1, 2, 4]);
    expect(champion()).toBe(1);
  });

  it('are not found where there is none of the number, and not loadable with the reason where one is damaged', async () => {
    const follower = follow();
    await promote();
    await publish(store);
    await damage(dataDir, 2);
    expect(await follower.loadPinned(9)).toMatchObject({ ok: false, code: 'MODEL_NOT_FOUND' });
    for (let count = 0; count < 2; count++) {
      const message = expect.stringMatching(/weights.bin of model 2: expected SHA-256/);
      expect(await follower.loadPinned(2)).toMatchObject({ ok: false, code: 'MODEL_NOT_LOADABLE', message });
    }
    await follower.check();
    expect(champion()).toBe(1);
  });

  it('are spared by the retention rule for ten minutes', async () => {
    const follower = follow({ keepModels: 1, servedModels: 1 });
    await promote(0.9);
    for (const accuracy of [0.5, 0.4, 0.3]) await publish(store, accuracy);
    await follower.loadPinned(2);
    await follower.check();
    expect(await store.versions()).toEqual([4, 2, 1]);
    vi.advanceTimersByTime(10 * 60_000);
    await promote(0.8);
    await follower.check();
    expect(await store.versions()).toEqual([5, 1]);
  });

  it('are not spared for having been asked for before they were there', async () => {
    const follower = follow({ keepModels: 1, servedModels: 1 });
    await promote(0.9);
    await follower.loadPinned(2);
    for (const accuracy of [0.5, 0.4]) await publish(store, accuracy);
    await follower.check();
    expect(await store.versions()).toEqual([3, 1]);
  });

  it('are found as soon as they are published, also where they have been asked for before', async () => {
    const follower = follow();
    await promote();
    expect(await follower.loadPinned(2)).toMatchObject({ ok: false, code: 'MODEL_NOT_FOUND' });
    await publish(store);
    expect(await follower.loadPinned(2)).toEqual({ ok: true, model: 'mnist' });
  });

  it('may be asked for again where they can not be read now', async () => {
    await promote();
    await publish(store);
    let passed = false;
    const load: ModelStore['load'] = (version) =>
      passed || version === 1 ? store.load(version) : Promise.reject(failing('EIO'));
    const follower = follow({ store: { ...store, load } });
    for (let count = 0; count < 2; count++)
      expect(await follower.loadPinned(2)).toMatchObject({
        code: 'MODEL_NOT_LOADED_YET',
        message: expect.stringContaining('EIO'),
      });
    passed = true;
    vi.advanceTimersByTime(2500);
    expect(await follower.loadPinned(2)).toEqual({ ok: true, model: 'mnist' });
  });
});
