/**
 * Follows the store for a predictor: the newest version that can be served is, damaged ones go to
 * quarantine, and old ones are deleted after a swap. It knows no engine and no process.
 */
import { messageOf, TrainyardError } from '../../lib/errors.ts';
import type { ModelStore, StoredModel } from '../store/store.ts';

export type StoreNews =
  /** Its bytes are not what was published; it is in quarantine. */
  | { readonly type: 'damaged'; readonly version: number; readonly reason: string }
  /** It stays where it is, and is tried again. */
  | { readonly type: 'notServed'; readonly version: number; readonly reason: string }
  | { readonly type: 'removed'; readonly versions: number[] }
  | { readonly type: 'notRemoved'; readonly reason: string }
  /** Whether the store's directory can be read; told when that changes. */
  | { readonly type: 'storeUnreadable'; readonly reason: string }
  | { readonly type: 'storeReadable' };

export type Follower = {
  readonly store: ModelStore;
  /** Versions that stay besides the best and the one that is served; Infinity: all. */
  readonly keepModels: number;
  /** Puts a model in the place of the one that answers; rejects when it can't. */
  /** `loadedIn`: seconds that it took to read and check it. */
  readonly swapIn: (model: StoredModel, loadedIn: number) => Promise<void>;
  readonly tell: (news: StoreNews) => void;
};

const tryAgainAfterMs = 2000;

/** A function that looks once: for a newer version and, when it serves one, for old ones to delete. */
export function followStore(follower: Follower): () => Promise<void> {
  const state: State = { served: 0, tryAgainAt: new Map(), isReadable: true };
  return async () => {
    if (await serveNewest(follower, state)) await retain(follower, state.served);
  };
}

type State = {
  served: number; // 0: none
  isReadable: boolean; // the store's directory
  readonly tryAgainAt: Map<number, number>; // version that could not be served → time, as performance.now()
};

/** Serves the newest version that is newer than the one that answers and that can be. Returns whether it did. */
async function serveNewest(follower: Follower, state: State): Promise<boolean> {
  const { store, swapIn, tell } = follower;
  const versions = await listVersions(follower, state);
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
      if (news && !(again && news.type === 'notServed')) tell(news); // once, not every time that it is tried
    }
  }
  return false;
}

/** None while the store can't be read; it may come back. */
async function listVersions({ store, tell }: Follower, state: State): Promise<number[]> {
  try {
    const versions = await store.versions();
    if (!state.isReadable) tell({ type: 'storeReadable' });
    state.isReadable = true;
    return versions;
  } catch (error) {
    if (state.isReadable) tell({ type: 'storeUnreadable', reason: messageOf(error) });
    state.isReadable = false;
    return [];
  }
}

/** Only damage moves a version: what the system could not read now, it may read later. Null: it is gone. */
async function setAside(store: ModelStore, version: number, error: unknown): Promise<StoreNews | null> {
  const code = error instanceof TrainyardError ? error.code : null;
  const reason = messageOf(error);
  if (code === 'MODEL_NOT_FOUND') return null; // deleted, or moved by another server, while it was read
  if (code !== 'MODEL_DAMAGED') return { type: 'notServed', version, reason };
  try {
    await store.quarantine(version, reason);
    return { type: 'damaged', version, reason };
  } catch (failure) {
    const why = `${reason}; it could not be moved to quarantine: ${messageOf(failure)}`;
    return { type: 'notServed', version, reason: why };
  }
}

async function retain({ store, keepModels, tell }: Follower, served: number): Promise<void> {
  try {
    const versions = await store.retain(keepModels, served);
    if (versions.length > 0) tell({ type: 'removed', versions });
  } catch (error) {
    tell({ type: 'notRemoved', reason: messageOf(error) });
  }
}
