/** Deletes old versions by the retention rule, but none that is in use. */
import { messageOf } from '../../lib/errors.ts';
import type { Registry } from '../registry/registry.ts';
import type { ModelStore } from '../store/store.ts';

export type RemovalNews =
  | { readonly type: 'removed'; readonly versions: number[] }
  | { readonly type: 'notRemoved'; readonly reason: string };

export type OldVersionPorts = {
  readonly store: Pick<ModelStore, 'retain'>;
  readonly registry: Pick<Registry, 'models' | 'read'>;
  /** Number of versions to keep besides the best and those in use; Infinity: all. */
  readonly keepModels: number;
  readonly report: (news: RemovalNews) => void;
};

const pinnedForMs = 10 * 60_000; // for which a version is spared after a request has named it

export class OldVersions {
  readonly #ports: OldVersionPorts;
  readonly #pinnedAt = new Map<number, number>(); // version → performance.now()

  constructor(ports: OldVersionPorts) {
    this.#ports = ports;
  }

  /** A request names a version that exists. */
  pin(version: number): void {
    this.#pinnedAt.set(version, performance.now());
    this.#forgetOldPins();
  }

  /** Spares a pinned version from now on for as long again. */
  touch(version: number): void {
    if (this.#pinnedAt.has(version)) this.#pinnedAt.set(version, performance.now());
  }

  /** How many pins are remembered. */
  get pins(): number {
    return this.#pinnedAt.size;
  }

  /** Returns the deleted versions. `models`: the model of each version, as far as it is known. */
  async delete(loaded: Iterable<number>, models: ReadonlyMap<number, string>): Promise<number[]> {
    const { store, keepModels, report } = this.#ports;
    try {
      const removed = await store.retain(keepModels, await this.#spared(loaded, models));
      if (removed.length > 0) report({ type: 'removed', versions: removed });
      return removed;
    } catch (error) {
      report({ type: 'notRemoved', reason: messageOf(error) });
      return [];
    }
  }

  /** What is loaded, what was pinned lately, what the registry names, and all of a model whose decisions can't be read. */
  async #spared(loaded: Iterable<number>, models: ReadonlyMap<number, string>): Promise<Set<number>> {
    this.#forgetOldPins();
    const spared = new Set([...loaded, ...this.#pinnedAt.keys()]);
    const unreadable = new Set<string>();
    for (const model of await this.#ports.registry.models()) {
      const named = await this.#namedIn(model);
      if (named) for (const version of named) spared.add(version);
      else unreadable.add(model);
    }
    for (const [version, model] of models) if (unreadable.has(model)) spared.add(version);
    return spared;
  }

  /** What an alias points to, the last champions and the best ones; null where the decisions can't be read. */
  async #namedIn(model: string): Promise<number[] | null> {
    try {
      const state = await this.#ports.registry.read(model);
      if (!state) return [];
      const named = [...Object.values(state.aliases), ...Object.values(state.best)];
      return [...named.map(({ version }) => version), ...state.recent];
    } catch {
      return null; // the follower reports it
    }
  }

  #forgetOldPins(): void {
    for (const [version, at] of this.#pinnedAt)
      if (performance.now() - at >= pinnedForMs) this.#pinnedAt.delete(version);
  }
}
