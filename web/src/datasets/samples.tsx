/** Nine test images with their labels. Fetched rather than linked: an <img> can't send the API key. */
import { useEffect, useState } from 'preact/hooks';
import { useAnswer } from '../api/use-answer.ts';
import { useApp } from '../app-context.ts';

export function Samples({ name }: { name: string }) {
  const { client, ask } = useApp().api;
  const init = { params: { path: { name } }, parseAs: 'blob' } as const;
  const { data } = useAnswer<Blob>(
    (signal) => ask(client.GET('/datasets/{name}/samples.png', { ...init, signal })),
    [name],
  );
  const [url, setUrl] = useState('');
  useEffect(() => {
    if (data === null) return undefined;
    const made = URL.createObjectURL(data);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [data]);
  return (
    <section class="panel" aria-labelledby="samples-title">
      <h2 id="samples-title">Samples</h2>
      <div class="samples">
        {url && <img src={url} alt={`Nine test images of ${name} with their labels`} />}
      </div>
    </section>
  );
}
