/** The list of model versions, refreshed every five seconds while it is shown, and after a change of the champion. */
import type { Model } from '../../../src/client/index.ts';
import { createNewestFirst } from '../api/newest-first.ts';
import { useAnswer } from '../api/use-answer.ts';
import { type App, useStore } from '../app-context.ts';
import { createRegistry } from './registry.ts';

export const everyMs = 5000;

export function createModelList({ api: { client, ask } }: App) {
  return createNewestFirst<Model, number>(
    ({ version }) => version,
    (query, ended) => ask(client.GET('/models', { params: { query }, ...(ended && { signal: ended }) })),
  );
}

export function useModels() {
  const { items, hasOlder, refresh } = useStore(createModelList);
  const { refresh: refreshRegistry, changes } = useStore(createRegistry);
  const { data, problem } = useAnswer(refresh, [changes.value], everyMs);
  useAnswer(refreshRegistry, [changes.value], everyMs);
  return { models: items.value, isKnown: data !== null, hasOlder: hasOlder.value, problem };
}
