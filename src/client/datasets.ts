/** POST /datasets with an archive as its body, for which the generated types have no form. */
import type { TrainyardClient } from './client.ts';
import { answerOf } from './problem.ts';
import type { components, operations } from './schema.ts';

type Dataset = components['schemas']['Dataset'];
export type ImportOptions = operations['importDataset']['parameters']['query'] & {
  readonly signal?: AbortSignal;
};

/**
 * Sends a zip, tar or tar.gz of labelled pictures, for as long as that takes; a stream is read as it is sent. The data set
 * is imported from then on: GET /datasets/:name says how far it is.
 *
 * @throws ProblemError `DATASET_NAME_TAKEN`, `ARCHIVE_TOO_LARGE`, …
 */
export async function importDataset(
  client: TrainyardClient,
  archive: Blob | ReadableStream<Uint8Array>,
  { signal, ...query }: ImportOptions,
): Promise<Dataset> {
  const call = client.POST('/datasets', {
    params: { query },
    body: archive as never,
    bodySerializer: (body: unknown) => body,
    headers: { 'content-type': 'application/octet-stream' },
    parseAs: 'stream', // without the limit on how long an answer may take
    ...({ duplex: 'half' } as object), // which a stream needs (Fetch, RequestDuplex)
    ...(signal && { signal }),
  });
  const answer: unknown = await answerOf(call);
  return (await new Response(answer as ReadableStream<Uint8Array>).json()) as Dataset;
}

const longestName = 63; // characters

/** A name for a data set, like that of its file: "My Letters (2).tar.gz" → "my-letters-2". Empty where nothing is left. */
export function datasetNameOf(fileName: string): string {
  const plain = fileName
    .replace(/\.(?:zip|tgz|tar|gz)$/i, '')
    .replace(/\.tar$/i, '')
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase();
  const words = plain.replaceAll(/[^a-z0-9]+/g, '-').replace(/^[^a-z]+/, '');
  return words.slice(0, longestName).replace(/-+$/, '');
}
