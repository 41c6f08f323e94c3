/** POST /corrections with a picture. */
import type { TrainyardClient } from './client.ts';
import { answerOf } from './problem.ts';
import type { components } from './schema.ts';

type Schemas = components['schemas'];

/**
 * Says what a picture shows; `label` null: none of the labels. The same picture may be sent again.
 *
 * @throws ProblemError `CORRECTION_CONFLICT` where the picture was said to show something else
 */
export async function addCorrection(
  client: TrainyardClient,
  image: Blob,
  label: string | null,
  model?: string,
): Promise<Schemas['AddedCorrection']> {
  const body = { image: await base64Of(image), label, ...(model !== undefined && { model }) };
  return answerOf(client.POST('/corrections', { body }));
}

/** In pieces: a call takes only so many arguments. */
async function base64Of(image: Blob): Promise<string> {
  const bytes = new Uint8Array(await image.arrayBuffer());
  let binary = '';
  for (let start = 0; start < bytes.length; start += 8192)
    binary += String.fromCharCode(...bytes.subarray(start, start + 8192));
  return btoa(binary);
}
