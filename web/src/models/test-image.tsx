/** A test image of a data set. Fetched rather than linked: an <img> can't send the API key. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { type App, useApp, useStore } from '../app-context.ts';

type Props = { dataset: string; index: number };

/** Object URLs of the images loaded so far, by data set and index; a few hundred bytes each. */
export function createTestImages({ api: { client, ask } }: App) {
  const urls = signal<Readonly<Record<string, string>>>({});
  const load = async ({ dataset, index }: Props, ended: AbortSignal) => {
    const path = { name: dataset, index: String(index) };
    const init = { params: { path }, parseAs: 'blob', signal: ended } as const;
    const outcome = await ask(client.GET('/datasets/{name}/test/{index}.png', init));
    if (!outcome.ok) return;
    urls.value = { ...urls.value, [keyOf({ dataset, index })]: URL.createObjectURL(outcome.data) };
  };
  return { urls, load };
}

const keyOf = ({ dataset, index }: Props) => `${dataset}/${index}`;

export function TestImage({ dataset, index }: Props) {
  const { urls, load } = useStore(createTestImages);
  const { reloads } = useApp().api;
  const url = urls.value[keyOf({ dataset, index })];
  useEffect(() => {
    if (url !== undefined) return undefined;
    const ending = new AbortController();
    void load({ dataset, index }, ending.signal);
    return () => ending.abort();
  }, [dataset, index, url, reloads.value]);
  return <span class="pixels">{url && <img src={url} alt="" width="28" height="28" />}</span>;
}
