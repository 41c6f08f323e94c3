/** A picture is sent as it is: the generated types have no binary bodies. */
import type { TrainyardClient } from './client.ts';
import { answerOf } from './problem.ts';
import type { components } from './schema.ts';

/**
 * Reads the digit in a PNG or JPEG, whatever `image.type` says.
 *
 * @throws ProblemError
 */
export async function predict(
  client: TrainyardClient,
  image: Blob,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<components['schemas']['Prediction']> {
  const answer = await answerOf(
    client.POST('/predict', {
      body: image as never,
      bodySerializer: (body: unknown) => body,
      headers: { 'content-type': image.type },
      ...(signal && { signal }),
    }),
  );
  return 'predictions' in answer ? answer.predictions[0]! : answer; // several only for a form of several
}
