/** A data set of one's own, by the service's front door. */
import { getJson, until } from './service.ts';

type DatasetAnswer = {
  readonly status: string;
  readonly form: string;
  readonly report: { readonly accepted: number };
  readonly error?: { readonly message: string } | null;
};

/** Uploads an archive and waits until its import has ended. Throws unless the data set is ready. */
export async function importArchive(
  address: string,
  name: string,
  zip: Buffer,
  withinMs: number,
): Promise<DatasetAnswer> {
  const headers = { 'content-type': 'application/zip' };
  const body = new Uint8Array(zip);
  const response = await fetch(`${address}/datasets?name=${name}`, { method: 'POST', headers, body });
  if (response.status !== 202)
    throw new Error(`expected the archive to be taken, got ${await response.text()}`);
  const read = () => getJson<DatasetAnswer>(`${address}/datasets/${name}`);
  await until(async () => (await read()).status !== 'importing', `data set ${name} to be imported`, withinMs);
  const dataset = await read();
  if (dataset.status !== 'ready')
    throw new Error(`expected data set ${name}, got ${JSON.stringify(dataset)}`);
  return dataset;
}
