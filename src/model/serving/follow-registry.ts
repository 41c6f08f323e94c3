/**
 * Follows the registry and the store: loads the versions that aliases point to before they answer, unloads those that
 * nobody asks for, moves damaged ones to quarantine, puts the version before in a lost champion's place, and deletes old
 * ones. Knows no engine and no process.
 */
import { messageOf } from '../../lib/errors.ts';
import { isCode } from '../../lib/files.ts';
import { createTurns } from '../../lib/in-turn.ts';
import type { RegistryState } from '../registry/decision.ts';
import { champion } from '../registry/names.ts';
import type { Registry } from '../registry/registry.ts';
import { testedOf } from '../registry/tested.ts';
import type { Draft } from '../registry/transitions.ts';
import { modelOf } from '../store/manifest.ts';
import type { ModelStore } from '../store/store.ts';
import {
  isLost,
  LoadedVersions,
  type LoadOutcome,
  type LoadPorts,
  type VersionNews,
} from './loaded-versions.ts';
import { type OldVersionPorts, OldVersions, type RemovalNews } from './old-versions.ts';

/** What answers for one model. */
export type ModelServing = {
  readonly champion: number | null;
  readonly aliases: Readonly<Record<string, number>>; // champion included; others may have to be loaded first, or can't be
  readonly traffic: Readonly<Record<string, number>> | null; // per cent by loaded alias; null: all to the champion
  readonly revision: number; // of the registry that this follows
};
export type Serving = Readonly<Record<string, ModelServing>>; // by model

export type StoreNews =
  | VersionNews
  | RemovalNews
  /** Reported when the store or the registry becomes unreadable or readable. */
  | { readonly type: 'storeUnreadable'; readonly reason: string }
  | { readonly type: 'storeReadable' }
  /** Reported when the decisions about one model become unreadable or readable; it is served as before meanwhile. */
  | { readonly type: 'decisionsUnreadable'; readonly model: string; readonly reason: string }
  | { readonly type: 'decisionsReadable'; readonly model: string }
  /** Reported once of each damaged decision; the one before it counts. */
  | {
      readonly type: 'decisionDamaged';
      readonly model: string;
      readonly number: number;
      readonly reason: string;
    };

export type FollowPorts = Omit<LoadPorts, 'store' | 'report'> & {
  readonly store: ModelStore;
  readonly registry: Registry;
  readonly keepModels: OldVersionPorts['keepModels'];
  /** Versions to keep loaded at most; champions are loaded in any case. */
  readonly servedModels: number;
  readonly report: (news: StoreNews) => void;
  /** Called when the served versions change. */
  readonly onServing: (serving: Serving) => void;
};

export class RegistryFollower {
  readonly #ports: FollowPorts;
  readonly #loaded: LoadedVersions;
  readonly #old: OldVersions;
  readonly #models = new Map<number, string>(); // version → model, of every manifest that was read
  readonly #unreadable = new Set<string>(); // models whose decisions can't be read
  #serving: Serving = {};
  #newest: number | undefined; // version, when old ones were last deleted
  #isReadable = true; // the store's directory
  readonly #inTurn = createTurns();

  constructor(ports: FollowPorts) {
    this.#ports = ports;
    this.#loaded = new LoadedVersions(ports);
    this.#old = new OldVersions(ports);
  }

  /** Looks at the registry and the store once, and does what follows from them. */
  check(): Promise<void> {
    return this.#inTurn(() => this.#check());
  }

  /** Loads a version that a request names, unless it is loaded. */
  loadPinned(version: number): Promise<LoadOutcome> {
    return this.#inTurn(async () => {
      const outcome = await this.#loaded.load(version);
      if (outcome.ok) this.#old.pin(version);
      this.#unloadUnused();
      return outcome;
    });
  }

  /** Marks a version as used now: the one that was not used for longest is unloaded first. */
  touch(version: number): void {
    this.#loaded.touch(version);
    this.#old.touch(version);
  }

  async #check(): Promise<void> {
    try {
      await this.#follow(await this.#ports.store.versions());
      if (!this.#isReadable) this.#ports.report({ type: 'storeReadable' });
      this.#isReadable = true;
    } catch (error) {
      if (this.#isReadable) this.#ports.report({ type: 'storeUnreadable', reason: messageOf(error) });
      this.#isReadable = false;
    }
  }

  async #follow(versions: readonly number[]): Promise<void> {
    await this.#adopt(versions);
    const { registry } = this.#ports;
    const serving: Record<string, ModelServing> = {};
    let changed = false;
    for (const model of await registry.models()) {
      const next = await this.#serveIfReadable(model, versions);
      if (!next) continue;
      serving[model] = next;
      changed ||= !isSame(next, this.#serving[model]);
    }
    changed ||= Object.keys(serving).length !== Object.keys(this.#serving).length;
    if (changed) {
      this.#serving = serving;
      this.#ports.onServing(serving);
      this.#unloadUnused();
    }
    if (changed || versions[0] !== this.#newest) await this.#deleteOld();
    this.#newest = versions[0];
  }

  async #deleteOld(): Promise<void> {
    const removed = await this.#old.delete(this.#loaded.versions(), this.#models);
    for (const version of removed) this.#models.delete(version);
  }

  /** A model whose decisions can't be read is served as before, and the other models are not affected. */
  async #serveIfReadable(model: string, versions: readonly number[]): Promise<ModelServing | null> {
    const { report } = this.#ports;
    try {
      const serving = await this.#serve(model, versions);
      if (this.#unreadable.delete(model)) report({ type: 'decisionsReadable', model });
      return serving;
    } catch (error) {
      if (!this.#unreadable.has(model))
        report({ type: 'decisionsUnreadable', model, reason: messageOf(error) });
      this.#unreadable.add(model);
      return Object.hasOwn(this.#serving, model) ? this.#serving[model]! : null;
    }
  }

  /**
   * Loads what the aliases of a model point to. A champion that can't be loaded gives way; any other alias stays, so that
   * a request for it is told the reason, and its share of the traffic goes to the champion.
   */
  async #serve(model: string, versions: readonly number[]): Promise<ModelServing | null> {
    const state = await this.#ports.registry.read(model);
    if (!state) return null;
    const before = this.#serving[model];
    if (before?.revision === state.revision && this.#isWhole(before, state)) return before;
    const aliases: Record<string, number> = {};
    const answering = await this.#serveChampion(model, state, versions);
    if (answering !== null) aliases[champion] = answering;
    const traffic = await this.#loadableShares(state);
    for (const [alias, { version }] of Object.entries(state.aliases)) {
      if (alias === champion) continue;
      aliases[alias] = version;
      if (!this.#isFull()) await this.#loaded.ensure(version); // otherwise when it is asked for
    }
    return { champion: answering, aliases, traffic, revision: state.revision };
  }

  /** Whether the champion answers, and every alias that gets a share of the traffic. */
  #isWhole(serving: ModelServing, { aliases, traffic }: RegistryState): boolean {
    const version = aliases[champion]?.version;
    const isServed = version === undefined || (serving.champion === version && this.#loaded.has(version));
    return isServed && isSame(serving.traffic, traffic);
  }

  async #serveChampion(
    model: string,
    state: RegistryState,
    versions: readonly number[],
  ): Promise<number | null> {
    const version = state.aliases[champion]?.version;
    if (version === undefined) return null;
    const outcome = await this.#loaded.ensure(version);
    if (outcome.ok) return version;
    const next = isLost(outcome) ? await this.#replaceChampion(model, version, versions) : null;
    return next ?? this.#serving[model]?.champion ?? (await this.#loaded.first(state.path));
  }

  async #loadableShares({ aliases, traffic }: RegistryState): Promise<ModelServing['traffic']> {
    if (!traffic) return null;
    const shares = new Map<string, number>();
    for (const [alias, percent] of Object.entries(traffic)) {
      const version = aliases[alias]?.version;
      const isLoaded = version !== undefined && (await this.#loaded.ensure(version)).ok;
      const by = isLoaded ? alias : champion;
      shares.set(by, (shares.get(by) ?? 0) + percent);
    }
    return Object.fromEntries(shares);
  }

  #isFull(): boolean {
    return this.#loaded.count >= this.#ports.servedModels;
  }

  /** A champion that is damaged or gone gives way to the one before it, or to the newest version that can be loaded. */
  async #replaceChampion(model: string, lost: number, versions: readonly number[]): Promise<number | null> {
    const { registry } = this.#ports;
    const state = await registry.read(model);
    if (state?.aliases[champion]?.version !== lost) return null; // another server was faster
    const ofModel = [];
    for (const version of versions) if ((await this.#modelOf(version)) === model) ofModel.push(version);
    const candidates = new Set([...state.path, ...ofModel]);
    candidates.delete(lost);
    const to = await this.#loaded.first(candidates);
    if (to === null) return null;
    const write: Draft = {
      action: 'replaced',
      alias: champion,
      to,
      by: 'the server',
      reason: `model ${lost} is damaged or gone`,
    };
    await registry.decide(model, async (now) =>
      now?.aliases[champion]?.version === lost ? { write } : { instead: null },
    );
    return to;
  }

  /**
   * A model without decisions was published before there was a registry: its newest version becomes champion, an older
   * one only if that is lost. While a version can't be read or loaded, the next check tries again.
   */
  async #adopt(versions: readonly number[]): Promise<void> {
    const { registry, store } = this.#ports;
    const settled = new Set(await registry.models());
    for (const version of versions) {
      const model = await this.#modelOf(version);
      if (model === null && (await mayBeReadLater(store, version))) return; // it may be the newest of any model
      if (model === null || settled.has(model)) continue;
      const outcome = await this.#loaded.ensure(version);
      if (!outcome.ok && isLost(outcome)) continue;
      settled.add(model);
      if (!outcome.ok) continue;
      const manifest = await store.manifest(version);
      const write: Draft = {
        action: 'adopted',
        alias: champion,
        to: version,
        by: 'the server',
        reason: 'the newest version of a model without decisions',
        tested: manifest && testedOf(manifest),
      };
      await registry.decide(model, async (state) => (state ? { instead: null } : { write }));
    }
  }

  /** The model of a version; null where its manifest can't be read. */
  async #modelOf(version: number): Promise<string | null> {
    const known = this.#models.get(version);
    if (known !== undefined) return known;
    const manifest = await this.#ports.store.manifest(version).catch(() => null);
    if (!manifest) return this.#quarantineIfDamaged(version);
    this.#models.set(version, modelOf(manifest));
    return modelOf(manifest);
  }

  async #quarantineIfDamaged(version: number): Promise<null> {
    await this.#loaded.ensure(version);
    return null;
  }

  /** Unloads the versions beyond `servedModels` that get no share of the traffic, those used longest ago first. */
  #unloadUnused(): void {
    const inUse = new Set(Object.values(this.#serving).flatMap(versionsInTraffic));
    this.#loaded.keep(this.#ports.servedModels, inUse);
  }
}

/** Whether a manifest that could not be read may be readable the next time. */
async function mayBeReadLater(store: ModelStore, version: number): Promise<boolean> {
  return store.manifest(version).then(
    (manifest) => manifest !== null,
    (error: unknown) => !isCode(error, 'MODEL_DAMAGED', 'MODEL_UNSUPPORTED'),
  );
}

function versionsInTraffic({ aliases, traffic }: ModelServing): (number | undefined)[] {
  return [champion, ...Object.keys(traffic ?? {})].map((alias) => aliases[alias]);
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
