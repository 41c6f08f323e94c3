/** A follower of a registry and a store of its own, whose engine only notes what it is to load. */
import { openRegistry } from '../../../src/model/registry/registry.ts';
import {
  type FollowPorts,
  RegistryFollower,
  type Serving,
  type StoreNews,
} from '../../../src/model/serving/follow-registry.ts';
import { openStore } from '../../../src/model/store/store.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { makeChampion } from '../registry/champion.ts';
import { publish } from '../store/versions.ts';

export async function openFollowing() {
  const dataDir = await temporaryDirectory();
  const store = openStore(dataDir);
  const registry = openRegistry(dataDir);
  const loaded: number[] = []; // versions, in the order in which they were loaded
  const news: StoreNews[] = [];
  let serving: Serving = {};
  const follow = (change: Partial<FollowPorts> = {}) =>
    new RegistryFollower({
      store,
      registry,
      keepModels: 20,
      servedModels: 4,
      load: async ({ manifest }) => void loaded.push(manifest.version),
      unload: (version) => void loaded.splice(loaded.indexOf(version), 1),
      report: (reported) => void news.push(reported),
      onServing: (next) => {
        serving = next;
      },
      ...change,
    });
  return {
    dataDir,
    store,
    registry,
    loaded,
    news,
    follow,
    checkWith: (change: Partial<FollowPorts> = {}) => {
      const follower = follow(change);
      return () => follower.check();
    },
    serving: () => serving,
    champion: () => serving['mnist']?.champion ?? null,
    /** Publishes a version and makes it champion. */
    promote: async (accuracy?: number) => {
      const version = await publish(store, accuracy);
      await makeChampion(dataDir, version);
      return version;
    },
  };
}

export type Following = Awaited<ReturnType<typeof openFollowing>>;

export const failing = (code: string) => Object.assign(new Error(`${code}: it failed`), { code });
