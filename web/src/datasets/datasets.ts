/** The list of data sets, and the upload under way; both outlive the view. */
import { signal } from '@preact/signals';
import type { Dataset } from '../../../src/client/index.ts';
import type { Problem } from '../api/outcome.ts';
import { useAnswer } from '../api/use-answer.ts';
import { type App, useStore } from '../app-context.ts';
import { upload, type Wish } from './upload.ts';

const everyMs = 5000;
const importingEveryMs = 1000;

type Upload =
  | { readonly state: 'none' }
  | { readonly state: 'sending'; readonly name: string; readonly share: number }
  | { readonly state: 'refused'; readonly problem: Problem };

export function createDatasets({ api }: App) {
  const all = signal<readonly Dataset[]>([]);
  const sending = signal<Upload>({ state: 'none' });
  let ending = new AbortController();
  return {
    all,
    upload: sending,
    refresh: async (ended: AbortSignal) => {
      const outcome = await api.ask(api.client.GET('/datasets', { signal: ended }));
      if (outcome.ok) all.value = outcome.data.data;
      return outcome;
    },
    /** Resolves with the data set that is being imported from then on; null: it was refused or cancelled. */
    send: async (wish: Wish): Promise<Dataset | null> => {
      ending = new AbortController();
      const { name } = wish;
      const show = (share: number) => (sending.value = { state: 'sending', name, share });
      show(0);
      const outcome = await upload(api, wish, show, ending.signal);
      sending.value = outcome.ok ? { state: 'none' } : { state: 'refused', problem: outcome.problem };
      if (outcome.ok) all.value = [...all.value.filter((each) => each.name !== name), outcome.data];
      return outcome.ok ? outcome.data : null;
    },
    cancel: () => ending.abort(),
  };
}

/** Asks more often while something is imported. */
export function useDatasets() {
  const { all, refresh } = useStore(createDatasets);
  const isImporting = all.value.some(({ status }) => status === 'importing');
  const { data, problem, reload } = useAnswer(refresh, [], isImporting ? importingEveryMs : everyMs);
  return { datasets: all.value, isKnown: data !== null, problem, reload };
}
