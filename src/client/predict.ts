/** POST /predict with an image as its body, for which the generated types have no form. */
import type { TrainyardClient } from './client.ts';
import { answerOf } from './problem.ts';
import type { components, operations } from './schema.ts';

type Schemas = components['schemas'];
type Query = NonNullable<operations['predict']['parameters']['query']>;

/** Which version is to answer, and what else the answer is to have; as in the query of POST /predict. */
export type PredictOptions = Query & { readonly signal?: AbortSignal };

/**
 * Reads the digit in a PNG, JPEG, WebP, AVIF, GIF or TIFF; the server looks at the bytes, not at `image.type`.
 *
 * @throws ProblemError
 */
export async function predict(
  client: TrainyardClient,
  image: Blob,
  options: Omit<PredictOptions, 'read'> = {},
): Promise<Schemas['Prediction']> {
  return (await post(client, image, options)) as Schemas['Prediction'];
}

/**
 * Reads all characters of one line, from left to right.
 *
 * @throws ProblemError
 */
export async function predictLine(
  client: TrainyardClient,
  image: Blob,
  options: Omit<PredictOptions, 'read' | 'include' | 'top'> = {},
): Promise<Schemas['LinePrediction']> {
  return (await post(client, image, { ...options, read: 'line' })) as Schemas['LinePrediction'];
}

async function post(client: TrainyardClient, image: Blob, { signal, ...query }: PredictOptions) {
  const answer = await answerOf(
    client.POST('/predict', {
      params: { query },
      body: image as never,
      bodySerializer: (body: unknown) => body,
      headers: { 'content-type': image.type },
      ...(signal && { signal }),
    }),
  );
  return 'predictions' in answer ? answer.predictions[0]! : answer; // a list only for a form with several images
}
