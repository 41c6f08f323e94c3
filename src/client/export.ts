/** GET /models/:version/export, whose answer is a file. */
import type { TrainyardClient } from './client.ts';
import { answerOf } from './problem.ts';
import type { operations } from './schema.ts';

export type ExportFormat = operations['exportModel']['parameters']['query']['format'];

/** `name` is the server's proposal, such as `mnist-3.onnx`; null where it makes none. */
export type ExportedFile = { readonly name: string | null; readonly bytes: Uint8Array };

/**
 * Reads a version as a file for another program.
 *
 * @throws ProblemError `MODEL_NOT_FOUND`, `MODEL_QUARANTINED`, …
 */
export async function exportModel(
  client: TrainyardClient,
  version: number,
  format: ExportFormat,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<ExportedFile> {
  const call = client.GET('/models/{version}/export', {
    params: { path: { version }, query: { format } },
    parseAs: 'arrayBuffer',
    ...(signal && { signal }),
  });
  const bytes = new Uint8Array(await answerOf(call));
  const { response } = await call;
  const [, name = null] = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '') ?? [];
  return { name, bytes };
}
