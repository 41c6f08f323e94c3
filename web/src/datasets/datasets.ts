/** The list of data sets, and the upload under way; both outlive the view. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { type Dataset, watchImport } from '../../../src/client/index.ts';
import type { Problem } from '../api/outcome.ts';
import { useAnswer } from '../api/use-answer.ts';
import { type App, useStore } from '../app-context.ts';
import { upload, type Wish } from './upload.ts';

const everyMs = 5000;
const showEveryMs = 100; // a new stream brings all past events at once

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
    /** Shows how far an import is until it has ended. */
    follow: async (name: string, ended: AbortSignal): Promise<void> => {
      let progress: Dataset['progress'] = null;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const show = () => {
        timer = undefined;
        all.value = all.value.map((each) => (isImported(each, name) ? { ...each, progress } : each));
      };
      for await (const event of watchImport(api.client, name, { signal: ended })) {
        if (event.type === 'started') progress = null;
        else if (event.type === 'progress') progress = event;
        else continue;
        timer ??= setTimeout(show, showEveryMs);
      }
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

function isImported({ name, status }: Dataset, wanted: string): boolean {
  return name === wanted && status === 'importing';
}

export function useDatasets() {
  const { all, refresh } = useStore(createDatasets);
  const { data, problem, reload } = useAnswer(refresh, [], everyMs);
  return { datasets: all.value, isKnown: data !== null, problem, reload };
}

/** Follows the import of the data set that is open by its events, while the page is visible: a browser has six connections. */
export function useImport(open: Dataset | undefined, reload: () => void): void {
  const { follow } = useStore(createDatasets);
  const name = open?.status === 'importing' ? open.name : null;
  useEffect(() => {
    if (name === null) return undefined;
    let ending = new AbortController();
    const followVisible = () => {
      ending.abort();
      ending = new AbortController();
      if (document.hidden) return;
      follow(name, ending.signal).then(reload, () => undefined); // refused or aborted: the list shows the problem
    };
    followVisible();
    document.addEventListener('visibilitychange', followVisible);
    return () => {
      document.removeEventListener('visibilitychange', followVisible);
      ending.abort();
    };
  }, [name]);
}
