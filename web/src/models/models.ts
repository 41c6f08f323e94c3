/** The list of model versions, refreshed every five seconds while it is shown, and after a change of the champion. */
import { computed, signal } from '@preact/signals';
import type { Model } from '../../../src/client/index.ts';
import { createNewestFirst, type NewestFirst } from '../api/newest-first.ts';
import { useAnswer } from '../api/use-answer.ts';
import { type App, useStore } from '../app-context.ts';
import { championOf, createRegistry } from './registry.ts';

export const everyMs = 5000;

/** The versions of all models, or of one, newest first; before them the champion, where it is older than those listed. */
export function createModelList(app: App) {
  const { client, ask } = app.api;
  const registry = app.store(createRegistry);
  const only = signal<string | null>(null); // the model whose versions are listed; null: all models
  const newest = computed(() => listOf(only.value));
  const read = signal<readonly (string | null)[]>([]); // until then nothing is shown, so that no row moves the others
  const unlisted = signal<Readonly<Record<number, Model>>>({}); // champions that a list lacked, by version
  const champion = computed(() => championOf(registry.models.value, only.value));
  const isListed = (version: number) => newest.value.items.value.some((each) => each.version === version);
  const models = computed((): readonly Model[] => {
    if (!read.value.includes(only.value)) return [];
    const listed = newest.value.items.value;
    const first = unlisted.value[champion.value ?? 0];
    return first && !isListed(first.version) ? [first, ...listed] : listed;
  });
  const lists = new Map<string | null, NewestFirst<Model>>();
  function listOf(model: string | null): NewestFirst<Model> {
    const known = lists.get(model) ?? createVersionList(app, model);
    lists.set(model, known);
    return known;
  }
  const readUnlisted = async (version: number, ended: AbortSignal) => {
    const init = { params: { path: { version } }, signal: ended };
    const outcome = await ask(client.GET('/models/{version}', init));
    if (outcome.ok) unlisted.value = { ...unlisted.value, [version]: outcome.data };
  };
  return {
    models,
    champion,
    only,
    hasOlder: computed(() => models.value.length > 0 && newest.value.hasOlder.value), // below the list, once that is shown
    readOlder: () => newest.value.readOlder(),
    refresh: async (ended: AbortSignal) => {
      const wanted = only.value;
      const [outcome] = await Promise.all([newest.value.refresh(ended), registry.refresh(ended)]);
      const version = champion.value;
      if (outcome.ok && version !== null && !isListed(version)) await readUnlisted(version, ended);
      if (outcome.ok && !ended.aborted && !read.value.includes(wanted)) read.value = [...read.value, wanted];
      return outcome;
    },
  };
}

function createVersionList({ api: { client, ask } }: App, model: string | null): NewestFirst<Model> {
  const of = model === null ? {} : { model };
  return createNewestFirst<Model, number>(
    ({ version }) => version,
    (page, ended) => {
      const params = { query: { ...page, ...of } };
      return ask(client.GET('/models', { params, ...(ended && { signal: ended }) }));
    },
  );
}

export function useModels() {
  const { models, champion, only, hasOlder, refresh } = useStore(createModelList);
  const { data, problem } = useAnswer(refresh, [useStore(createRegistry).changes.value, only.value], everyMs);
  return {
    models: models.value,
    champion: champion.value,
    isKnown: data !== null,
    hasOlder: hasOlder.value,
    problem,
  };
}
