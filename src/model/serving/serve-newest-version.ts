/**
 * How a new version gets served: looks into the store, loads the newest version that can be served, moves damaged ones
 * to quarantine, and deletes old ones after a swap. Knows no engine and no process.
 */
import { messageOf, TrainyardError } from '../../lib/errors.ts';
import type { ModelStore, StoredModel } from '../store/store.ts';

export type StoreNews =
  /** The version's bytes are not those that were published; it is in quarantine now. */
  | { readonly type: 'damaged'; readonly version: number; readonly reason: string }
  /** The version stays in the store and is tried again. */
  | { readonly type: 'notServed'; readonly version: number; readonly reason: string }
  | { readonly type: 'removed'; readonly versions: number[] }
  | { readonly type: 'notRemoved'; readonly reason: string }
  /** Reported when it changes whether the store's directory can be read. */
  | { readonly type: 'storeUnreadable'; readonly reason: string }
  | { readonly type: 'storeReadable' };

export type Serving = {
  readonly store: ModelStore;
  /** Number of versions to keep besides the best and the served one; Infinity: all. */
  readonly keepModels: number;
  /** Puts a model in the place of the one that answers, or rejects. `readSeconds`: to read and check the files. */
  readonly swapIn: (model: StoredModel, readSeconds: number) => Promise<void>;
  readonly report: (news: StoreNews) => void;
};

const tryAgainAfterMs = 2000;

/** Returns a function that checks the store once: it serves a newer version if there is one, then deletes old ones. */
export function serveNewestVersion(serving: Serving): () => Promise<void> {
  const state: State = { served: 0, tryAgainAt: new Map(), isReadable: true };
  return async () => {
    if (await swapInNewest(serving, state)) await deleteOld(serving, state.served);
  };
}

type State = {
  served: number; // 0: none
  isReadable: boolean; // the store's directory
  readonly tryAgainAt: Map<number, number>; // version that could not be served → performance.now()
};

/** Swaps in the newest version that can be served and is newer than the one that answers. Returns whether there was one. */
async function swapInNewest(serving: Serving, state: State): Promise<boolean> {
  const { store, swapIn, report } = serving;
  const versions = await listVersions(serving, state);
  for (const version of versions.filter((candidate) => candidate > state.served)) {
    if (performance.now() < (state.tryAgainAt.get(version) ?? 0)) continue;
    try {
      const startedAt = performance.now();
      const stored = await store.load(version);
      await swapIn(stored, (performance.now() - startedAt) / 1000);
      state.served = version;
      state.tryAgainAt.delete(version);
      return true;
    } catch (error) {
      const news = await setAside(store, version, error);
      const again = state.tryAgainAt.delete(version);
      if (news?.type === 'notServed') state.tryAgainAt.set(version, performance.now() + tryAgainAfterMs);
      if (news && !(again && news.type === 'notServed')) report(news); // once, not at every attempt
    }
  }
  return false;
}

/** Empty while the store can't be read. */
async function listVersions({ store, report }: Serving, state: State): Promise<number[]> {
  try {
    const versions = await store.versions();
    if (!state.isReadable) report({ type: 'storeReadable' });
    state.isReadable = true;
    return versions;
  } catch (error) {
    if (state.isReadable) report({ type: 'storeUnreadable', reason: messageOf(error) });
    state.isReadable = false;
    return [];
  }
}

/** Only damage moves a version to quarantine: a file that can't be read now may be readable later. Null: it is gone. */
async function setAside(store: ModelStore, version: number, error: unknown): Promise<StoreNews | null> {
  const code = error instanceof TrainyardError ? error.code : null;
  const reason = messageOf(error);
  if (code === 'MODEL_NOT_FOUND') return null; // another server deleted or moved it while it was read
  if (code !== 'MODEL_DAMAGED') return { type: 'notServed', version, reason };
  try {
    await store.quarantine(version, reason);
    return { type: 'damaged', version, reason };
  } catch (failure) {
    const why = `${reason}; it could not be moved to quarantine: ${messageOf(failure)}`;
    return { type: 'notServed', version, reason: why };
  }
}

async function deleteOld({ store, keepModels, report }: Serving, served: number): Promise<void> {
  try {
    const versions = await store.retain(keepModels, served);
    if (versions.length > 0) report({ type: 'removed', versions });
  } catch (error) {
    report({ type: 'notRemoved', reason: messageOf(error) });
  }
}
