/** Which version of each model answers, and what was decided about it; refreshed with the list of versions. */
import { signal } from '@preact/signals';
import type { Decision, RegisteredModel } from '../../../src/client/index.ts';
import type { Api } from '../api/api.ts';
import type { Outcome } from '../api/outcome.ts';
import type { App } from '../app-context.ts';

export const championAlias = 'champion';
const usualModel = 'mnist';
const historyShown = 100;

export function createRegistry({ api: { client, ask } }: App) {
  const models = signal<readonly RegisteredModel[]>([]);
  const changes = signal(0);
  return {
    models,
    /** Grows when the page has changed which version answers: what is shown is then read again. */
    changes,
    refresh: async (ended: AbortSignal) => {
      const outcome = await ask(client.GET('/registry', { signal: ended }));
      if (outcome.ok) models.value = outcome.data.data;
      return outcome;
    },
    /** After a call of this page that changed `model`. */
    put: (model: RegisteredModel) => {
      models.value = models.value.map((each) => (each.name === model.name ? model : each));
      changes.value++;
    },
  };
}

/** A model by its name; null: the one that answers a request without a model, which is `mnist` or else the first. */
export function modelNamed(
  models: readonly RegisteredModel[],
  wanted: string | null,
): RegisteredModel | undefined {
  const named = models.find(({ name }) => name === (wanted ?? usualModel));
  return named ?? (wanted === null ? models[0] : undefined);
}

/** The version that answers a request for a model; null: none is known. */
export function championOf(models: readonly RegisteredModel[], wanted: string | null): number | null {
  return modelNamed(models, wanted)?.aliases[championAlias]?.version ?? null;
}

/** The newest decisions about a model, newest first. */
export async function readHistory(
  { client, ask }: Pick<Api, 'client' | 'ask'>,
  model: string,
  ended: AbortSignal,
): Promise<Outcome<readonly Decision[]>> {
  const params = { path: { model }, query: { limit: historyShown } };
  const outcome = await ask(client.GET('/registry/{model}/history', { params, signal: ended }));
  return outcome.ok ? { ok: true, data: outcome.data.data } : outcome;
}
