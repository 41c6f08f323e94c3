/** The labels of versions. A manifest never changes, so those that are asked for often are read once. */
import { digitLabels } from '../model/data/labels.ts';
import { champion } from '../model/registry/names.ts';
import type { Registry } from '../model/registry/registry.ts';
import { readingOf } from '../model/store/manifest.ts';
import type { ModelStore } from '../model/store/store.ts';

const mostKnown = 100; // versions

/** Returns the labels of a version; the digits where it is gone or can't be read, as all versions once had. */
export type VersionLabels = (version: number) => Promise<readonly string[]>;

export function createVersionLabels(store: Pick<ModelStore, 'manifest'>): VersionLabels {
  const known = new Map<number, readonly string[]>();
  return async (version) => {
    const found = known.get(version);
    if (found) return found;
    const manifest = await store.manifest(version).catch(() => null);
    if (!manifest) return digitLabels;
    const { labels } = readingOf(manifest);
    if (known.size >= mostKnown) known.delete(known.keys().next().value!);
    known.set(version, labels);
    return labels;
  };
}

/** Returns the labels that a model answers with; null where it has no champion, or one that can't be read. */
export type ChampionLabels = (model: string) => Promise<readonly string[] | null>;

export function createChampionLabels(
  store: Pick<ModelStore, 'manifest'>,
  registry: Pick<Registry, 'read'>,
): ChampionLabels {
  return async (model) => {
    const state = await registry.read(model).catch(() => null); // whoever asks for the model is told
    const version = state?.aliases[champion]?.version;
    const manifest = version === undefined ? null : await store.manifest(version).catch(() => null);
    return manifest && readingOf(manifest).labels;
  };
}
