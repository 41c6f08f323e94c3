/** A test image. It is fetched rather than linked: an <img> has no header for the API key. */
import { useEffect, useState } from 'preact/hooks';
import { ask, client } from '../api/client.ts';
import { returns } from '../api/connection.ts';

const addresses = new Map<number, string>(); // of images that are here; a few hundred bytes each

export function TestImage({ index }: { index: number }) {
  const [address, setAddress] = useState(addresses.get(index));
  useEffect(() => {
    if (address !== undefined) return undefined;
    const ending = new AbortController();
    void fetchImage(index, ending.signal).then((fetched) => fetched && setAddress(fetched));
    return () => ending.abort();
  }, [index, returns.value]);
  return <span class="pixels">{address && <img src={address} alt="" width="28" height="28" />}</span>;
}

async function fetchImage(index: number, signal: AbortSignal): Promise<string | null> {
  const outcome = await ask(
    client.GET('/datasets/{name}/test/{index}.png', {
      params: { path: { name: 'mnist', index: String(index) } },
      parseAs: 'blob',
      signal,
    }),
  );
  if (!outcome.ok) return null;
  const address = URL.createObjectURL(outcome.data);
  addresses.set(index, address);
  return address;
}
