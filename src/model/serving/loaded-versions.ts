/** The versions that are loaded: loads them, moves damaged ones to quarantine, and unloads those used longest ago. */
import { messageOf, TrainyardError } from '../../lib/errors.ts';
import { modelOf } from '../store/manifest.ts';
import type { ModelStore, StoredModel } from '../store/store.ts';

export type VersionNews =
  /** The version's bytes are not those that were published; it is in quarantine now. */
  | { readonly type: 'damaged'; readonly version: number; readonly reason: string }
  /** The version stays in the store and is tried again. */
  | { readonly type: 'notServed'; readonly version: number; readonly reason: string };

/**
 * Why a version can't answer. It is not in the store, it is damaged, or it can't be loaded now: the last may work a
 * moment later.
 */
export type NotLoaded = {
  readonly ok: false;
  readonly code: 'MODEL_NOT_FOUND' | 'MODEL_NOT_LOADABLE' | 'MODEL_NOT_LOADED_YET';
  readonly message: string;
};
export type LoadOutcome = { readonly ok: true; readonly model: string } | NotLoaded;

/** Whether the version will not come back. */
export const isLost = ({ code }: NotLoaded): boolean => code !== 'MODEL_NOT_LOADED_YET';

export type LoadPorts = {
  readonly store: Pick<ModelStore, 'load' | 'quarantine' | 'quarantined'>;
  /** Loads a version and warms it up, or rejects. `readSeconds`: to read and check the files. */
  readonly load: (model: StoredModel, readSeconds: number) => Promise<void>;
  readonly unload: (version: number) => void;
  readonly report: (news: VersionNews) => void;
};

const tryAgainAfterMs = 2000;

export class LoadedVersions {
  readonly #ports: LoadPorts;
  readonly #loaded = new Map<number, string>(); // version → model; the one used last is the last
  readonly #tryAgainAt = new Map<number, number>(); // version that could not be loaded → performance.now()

  constructor(ports: LoadPorts) {
    this.#ports = ports;
  }

  get count(): number {
    return this.#loaded.size;
  }

  has(version: number): boolean {
    return this.#loaded.has(version);
  }

  versions(): Iterable<number> {
    return this.#loaded.keys();
  }

  /** Marks a version as used now. */
  touch(version: number): void {
    const model = this.#loaded.get(version);
    if (model === undefined) return;
    this.#loaded.delete(version);
    this.#loaded.set(version, model);
  }

  /** Loads a version unless it is loaded. */
  async ensure(version: number): Promise<LoadOutcome> {
    const model = this.#loaded.get(version);
    if (model !== undefined) return { ok: true, model };
    if (performance.now() < (this.#tryAgainAt.get(version) ?? 0))
      return notLoadedYet(version, 'it could not be read; it is tried again within seconds');
    try {
      return { ok: true, model: await this.#load(version) };
    } catch (error) {
      return this.#explain(version, error);
    }
  }

  /** The first that can be loaded; null: none can. */
  async first(candidates: Iterable<number>): Promise<number | null> {
    for (const version of candidates) if ((await this.ensure(version)).ok) return version;
    return null;
  }

  /** Unloads those used longest ago until `most` are left, but none of `inUse`. */
  keep(most: number, inUse: ReadonlySet<number | undefined>): void {
    for (const version of this.#loaded.keys()) {
      if (this.#loaded.size <= most) return;
      if (inUse.has(version)) continue;
      this.#loaded.delete(version);
      this.#ports.unload(version);
    }
  }

  async #load(version: number): Promise<string> {
    const startedAt = performance.now();
    const stored = await this.#ports.store.load(version);
    await this.#ports.load(stored, (performance.now() - startedAt) / 1000);
    const model = modelOf(stored.manifest);
    this.#tryAgainAt.delete(version);
    this.#loaded.set(version, model);
    return model;
  }

  async #explain(version: number, error: unknown): Promise<LoadOutcome> {
    const news = await this.#setAside(version, error);
    const again = this.#tryAgainAt.delete(version);
    if (!news) return this.#explainMissing(version);
    if (news.type === 'notServed') this.#tryAgainAt.set(version, performance.now() + tryAgainAfterMs);
    if (!(again && news.type === 'notServed')) this.#ports.report(news); // once, not at every attempt
    return news.type === 'damaged' ? damaged(version, news.reason) : notLoadedYet(version, news.reason);
  }

  /** Only damage moves a version to quarantine: a file that can't be read now may be readable later. Null: it is gone. */
  async #setAside(version: number, error: unknown): Promise<VersionNews | null> {
    const code = error instanceof TrainyardError ? error.code : null;
    const reason = messageOf(error);
    if (code === 'MODEL_NOT_FOUND') return null; // another server deleted or moved it while it was read
    if (code !== 'MODEL_DAMAGED') return { type: 'notServed', version, reason };
    try {
      await this.#ports.store.quarantine(version, reason);
      return { type: 'damaged', version, reason };
    } catch (failure) {
      const why = `${reason}; it could not be moved to quarantine: ${messageOf(failure)}`;
      return { type: 'notServed', version, reason: why };
    }
  }

  async #explainMissing(version: number): Promise<LoadOutcome> {
    const quarantined = await this.#ports.store.quarantined().catch(() => []);
    const found = quarantined.find((one) => one.version === version);
    if (found) return damaged(version, `it is in quarantine: ${found.reason}`);
    return { ok: false, code: 'MODEL_NOT_FOUND', message: `expected a version in GET /models, got ${version}` };
  }
}

function damaged(version: number, reason: string): NotLoaded {
  const message = `expected a version that can be loaded, model ${version} can't: ${reason}`;
  return { ok: false, code: 'MODEL_NOT_LOADABLE', message };
}

export function notLoadedYet(version: number, reason: string): NotLoaded {
  const message = `expected model ${version} to be loaded, it is not yet: ${reason}`;
  return { ok: false, code: 'MODEL_NOT_LOADED_YET', message };
}
