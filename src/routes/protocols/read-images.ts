/** Reads the images of a request by one version, whatever form they came in. */
import { setMaxListeners } from 'node:events';
import type { ImageTensor, TensorPrediction } from '../../model/serving/messages.ts';
import type { Selector } from '../../model/serving/select-version.ts';
import { maxImages } from '../http/image-limits.ts';
import { HttpProblem } from '../http/problem.ts';
import type { PictureReader } from '../metrics.ts';
import { expectPrediction, isUnavailable } from '../prediction-outcome.ts';

export const mostTensorImages = 256; // in a request
export const mostPictures = maxImages; // as POST /predict takes

/** `tensor` [N × 784], or encoded pictures [N]. */
export type RequestedImages = { readonly tensor: ImageTensor } | { readonly pictures: readonly Uint8Array[] };

export type ReadImages = Omit<TensorPrediction, 'ok' | 'timings'>;

/** `gone` aborts when nobody waits for the answer. @throws HttpProblem where an image is not read */
export async function readImages(
  images: RequestedImages,
  selector: Selector,
  gone: AbortController,
  predictor: PictureReader,
): Promise<ReadImages> {
  if ('pictures' in images) return readPictures(images.pictures, selector, gone, predictor);
  const outcome = await predictor.predictTensor(images.tensor, { ...selector, signal: gone.signal });
  return expectPrediction(outcome, 0, 1);
}

async function readPictures(
  pictures: readonly Uint8Array[],
  selector: Selector,
  gone: AbortController,
  predictor: PictureReader,
): Promise<ReadImages> {
  setMaxListeners(mostPictures, gone.signal);
  const random = Math.random(); // a share of the traffic reads all of them
  const outcomes = await Promise.all(
    pictures.map(async (picture) => {
      const outcome = await predictor.predict(picture, { ...selector, random, signal: gone.signal });
      if (isUnavailable(outcome)) gone.abort();
      return outcome;
    }),
  );
  const reason = outcomes.find((outcome) => isUnavailable(outcome));
  if (reason) expectPrediction(reason, 0, 1);
  const found = outcomes.map((outcome, index) => expectPrediction(outcome, index, outcomes.length));
  const { model, labels } = found[0]!;
  if (found.some((each) => each.model.version !== model.version)) throw replaced();
  const probabilities = new Float32Array(found.length * labels.length);
  for (const [i, each] of found.entries()) probabilities.set(each.probabilities, i * labels.length);
  return { model, labels, probabilities, answers: found };
}

/** The answer names one version. */
function replaced(): HttpProblem {
  const detail =
    'expected one version to read all pictures, another took its place meanwhile; send them again';
  return new HttpProblem({ status: 503, code: 'MODEL_REPLACED', detail, retryAfterSeconds: 1 });
}
