/** The versions of each model in the store. A manifest never changes, so each one is read once. */
import type { ImageForm } from '../model/data/dataset.ts';
import { digitLabels } from '../model/data/labels.ts';
import { modelOf, readingOf } from '../model/store/manifest.ts';
import type { ModelStore } from '../model/store/store.ts';

export type VersionIndex = {
  /** `champion`: the version that answers, whose data set, labels and form are the model's; else those of the newest. */
  of(
    model: string,
    champion: number | null,
  ): {
    readonly versions: number; // how many
    readonly newest: number | null;
    readonly dataset: string;
    readonly labels: string[];
    readonly form: ImageForm;
  };
};

type Entry = {
  readonly model: string;
  readonly dataset: string;
  readonly labels: readonly string[];
  readonly form: ImageForm;
};

/** What is said of a model whose versions are all gone. */
const unknownOf = (model: string) => ({ dataset: model, labels: digitLabels, form: 'ink' }) as const;

export function createVersionIndex(store: Pick<ModelStore, 'versions' | 'manifest'>) {
  const known = new Map<number, Entry>();
  const entryOf = async (version: number): Promise<void> => {
    const manifest = known.has(version) ? null : await store.manifest(version).catch(() => null);
    if (!manifest) return;
    const model = modelOf(manifest);
    known.set(version, { model, dataset: manifest.dataset.name, ...readingOf(manifest) });
  };
  return {
    async read(): Promise<VersionIndex> {
      const versions = await store.versions();
      await Promise.all(versions.map(entryOf));
      const present = new Set(versions);
      for (const version of known.keys()) if (!present.has(version)) known.delete(version);
      return {
        of: (model, champion) => {
          const own = versions.filter((version) => known.get(version)?.model === model);
          const [newest] = own;
          const shown = own.find((version) => version === champion) ?? newest;
          const { dataset, labels, form } = shown === undefined ? unknownOf(model) : known.get(shown)!;
          return { versions: own.length, newest: newest ?? null, dataset, labels: [...labels], form };
        },
      };
    },
  };
}
