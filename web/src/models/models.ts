/** The list of model versions, refreshed every five seconds while it is shown. */
import type { Model } from '../../../src/client/index.ts';
import { createNewestFirst } from '../api/newest-first.ts';
import { useAnswer } from '../api/use-answer.ts';
import { type App, useStore } from '../app-context.ts';

const everyMs = 5000;

export function createModelList({ api: { client, ask } }: App) {
  return createNewestFirst<Model, number>(
    ({ version }) => version,
    (query, ended) => ask(client.GET('/models', { params: { query }, ...(ended && { signal: ended }) })),
  );
}

export function useModels() {
  const { items, hasOlder, refresh } = useStore(createModelList);
  const { data, problem } = useAnswer(refresh, [], everyMs);
  return { models: items.value, isKnown: data !== null, hasOlder: hasOlder.value, problem };
}
