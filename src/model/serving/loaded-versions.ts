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
  readonly #failed = new Map<number, { readonly outcome: NotLoaded; readonly tryAgainAt: number }>(); // by version

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

  /** Loads a version unless it is loaded. For a while after a failure the outcome is the same. */
  async ensure(version: number): Promise<LoadOutcome> {
    const failed = this.#failed.get(version);
    return failed && performance.now() < failed.tryAgainAt ? failed.outcome : this.#ensureNow(version);
  }

  /** The same for a request, for which a version that was not there is looked for anew. */
  async load(version: number): Promise<LoadOutcome> {
    const failed = this.#failed.get(version);
    return failed && isLost(failed.outcome) ? this.#ensureNow(version) : this.ensure(version);
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

  async #ensureNow(version: number): Promise<LoadOutcome> {
    const model = this.#loaded.get(version);
    if (model !== undefined) return { ok: true, model };
    try {
      return { ok: true, model: await this.#load(version) };
    } catch (error) {
      return this.#explain(version, error);
    }
  }

  async #load(version: number): Promise<string> {
    const startedAt = performance.now();
    const stored = await this.#ports.store.load(version);
    await this.#ports.load(stored, (performance.now() - startedAt) / 1000);
    const model = modelOf(stored.manifest);
    this.#failed.delete(version);
    this.#loaded.set(version, model);
    return model;
  }

  async #explain(version: number, error: unknown): Promise<NotLoaded> {
    const news = await this.#setAside(version, error);
    const before = this.#failed.get(version)?.outcome;
    const outcome = news ? refusalOf(news) : await this.#explainMissing(version);
    this.#remember(version, outcome);
    const isRepeated = news?.type === 'notServed' && before && !isLost(before);
    if (news && !isRepeated) this.#ports.report(news); // once, not at every attempt
    return outcome;
  }

  /** Forgets versions that are lost, of which requests may name any number. */
  #remember(version: number, outcome: NotLoaded): void {
    const now = performance.now();
    for (const [other, failed] of this.#failed)
      if (isLost(failed.outcome) && now >= failed.tryAgainAt) this.#failed.delete(other);
    this.#failed.set(version, { outcome, tryAgainAt: now + tryAgainAfterMs });
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

  async #explainMissing(version: number): Promise<NotLoaded> {
    const quarantined = await this.#ports.store.quarantined().catch(() => []);
    const found = quarantined.find((one) => one.version === version);
    if (found) return damaged(version, `it is in quarantine: ${found.reason}`);
    return {
      ok: false,
      code: 'MODEL_NOT_FOUND',
      message: `expected a version in GET /models, got ${version}`,
    };
  }
}

function refusalOf({ type, version, reason }: VersionNews): NotLoaded {
  return type === 'damaged'
    ? damaged(version, reason)
    : notLoadedYet(version, `${reason}; it is tried again within seconds`);
}

function damaged(version: number, reason: string): NotLoaded {
  const message = `expected a version that can be loaded, model ${version} can't: ${reason}`;
  return { ok: false, code: 'MODEL_NOT_LOADABLE', message };
}

export function notLoadedYet(version: number, reason: string): NotLoaded {
  const message = `expected model ${version} to be loaded, it is not yet: ${reason}`;
  return { ok: false, code: 'MODEL_NOT_LOADED_YET', message };
}
