/** A test image. Fetched rather than linked: an <img> can't send the API key. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { type App, useApp, useStore } from '../app-context.ts';

/** Object URLs of the images loaded so far, by index; a few hundred bytes each. */
export function createTestImages({ api: { client, ask } }: App) {
  const urls = signal<Readonly<Record<number, string>>>({});
  const load = async (index: number, ended: AbortSignal) => {
    const path = { name: 'mnist', index: String(index) } as const;
    const init = { params: { path }, parseAs: 'blob', signal: ended } as const;
    const outcome = await ask(client.GET('/datasets/{name}/test/{index}.png', init));
    if (outcome.ok) urls.value = { ...urls.value, [index]: URL.createObjectURL(outcome.data) };
  };
  return { urls, load };
}

export function TestImage({ index }: { index: number }) {
  const { urls, load } = useStore(createTestImages);
  const { reloads } = useApp().api;
  const url = urls.value[index];
  useEffect(() => {
    if (url !== undefined) return undefined;
    const ending = new AbortController();
    void load(index, ending.signal);
    return () => ending.abort();
  }, [index, url, reloads.value]);
  return <span class="pixels">{url && <img src={url} alt="" width="28" height="28" />}</span>;
}
