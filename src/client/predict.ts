/** POST /predict with an image as its body, for which the generated types have no form. */
import type { TrainyardClient } from './client.ts';
import { answerOf } from './problem.ts';
import type { components } from './schema.ts';

export type PredictOptions = {
  /** `input`: the answer also has the 28×28 image that the network saw, as a base64 PNG. */
  readonly include?: 'input';
  readonly signal?: AbortSignal;
};

/**
 * Reads the digit in a PNG or JPEG; the server looks at the bytes, not at `image.type`.
 *
 * @throws ProblemError
 */
export async function predict(
  client: TrainyardClient,
  image: Blob,
  { include, signal }: PredictOptions = {},
): Promise<components['schemas']['Prediction']> {
  const answer = await answerOf(
    client.POST('/predict', {
      params: { query: include ? { include } : {} },
      body: image as never,
      bodySerializer: (body: unknown) => body,
      headers: { 'content-type': image.type },
      ...(signal && { signal }),
    }),
  );
  return 'predictions' in answer ? answer.predictions[0]! : answer; // a list only for a form with several images
}
