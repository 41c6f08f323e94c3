/** The list of model versions, refreshed every five seconds while it is shown, and after a change of the champion. */
import { computed, signal } from '@preact/signals';
import type { Model } from '../../../src/client/index.ts';
import { createNewestFirst } from '../api/newest-first.ts';
import { useAnswer } from '../api/use-answer.ts';
import { type App, useStore } from '../app-context.ts';
import { championOf, createRegistry } from './registry.ts';

export const everyMs = 5000;

/** The versions, newest first; before them the champion, where it is older than those that are listed. */
export function createModelList(app: App) {
  const { client, ask } = app.api;
  const registry = app.store(createRegistry);
  const newest = createNewestFirst<Model, number>(
    ({ version }) => version,
    (query, ended) => ask(client.GET('/models', { params: { query }, ...(ended && { signal: ended }) })),
  );
  const isRead = signal(false); // until then nothing is shown, so that no row moves the others
  const unlisted = signal<Model | null>(null); // the last champion that the list lacked
  const champion = computed(() => championOf(registry.models.value));
  const isListed = (version: number) => newest.items.value.some((each) => each.version === version);
  const models = computed((): readonly Model[] => {
    if (!isRead.value) return [];
    const first = unlisted.value;
    const isShown = first !== null && first.version === champion.value && !isListed(first.version);
    return isShown ? [first, ...newest.items.value] : newest.items.value;
  });
  const readUnlisted = async (version: number, ended: AbortSignal) => {
    const init = { params: { path: { version } }, signal: ended };
    const outcome = await ask(client.GET('/models/{version}', init));
    if (outcome.ok) unlisted.value = outcome.data;
  };
  return {
    models,
    champion,
    hasOlder: newest.hasOlder,
    readOlder: newest.readOlder,
    refresh: async (ended: AbortSignal) => {
      const [outcome] = await Promise.all([newest.refresh(ended), registry.refresh(ended)]);
      const version = champion.value;
      if (outcome.ok && version !== null && !isListed(version)) await readUnlisted(version, ended);
      if (outcome.ok && !ended.aborted) isRead.value = true;
      return outcome;
    },
  };
}

export function useModels() {
  const { models, champion, hasOlder, refresh } = useStore(createModelList);
  const { data, problem } = useAnswer(refresh, [useStore(createRegistry).changes.value], everyMs);
  return {
    models: models.value,
    champion: champion.value,
    isKnown: data !== null,
    hasOlder: hasOlder.value,
    problem,
  };
}
