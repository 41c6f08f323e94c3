/**
 * Reads the bodies of TensorFlow Serving's REST API: rows (`instances`), columns (`inputs`) and examples to classify. Images
 * are numbers of 0 … 1, nested or not, or pictures as `{"b64": "..."}`; each may stand under the name of an input.
 */
import { z } from 'zod';
import { startOfText } from '../../lib/start-of-text.ts';
import { imageSize } from '../../model/data/dataset.ts';
import { HttpProblem, invalidProblem } from '../http/problem.ts';
import { greysFromJson, typeName } from './numbers.ts';
import { invalid } from './protocol-scope.ts';
import { mostPictures, mostTensorImages, type RequestedImages } from './read-images.ts';
import { pictureFromText } from './v2-request.ts';

/** The images are read without zod, which takes seconds for as many elements as a body may have. */
const requestSchema = z.object({
  signature_name: z
    .literal(['serving_default', ''], { error: 'expected serving_default, the only signature' })
    .exactOptional(),
  instances: z.unknown().exactOptional(),
  inputs: z.unknown().exactOptional(),
  examples: z.unknown().exactOptional(),
});

export type PredictRequest = { readonly images: RequestedImages; readonly inRows: boolean };

/** @throws HttpProblem 400 */
export function readPredict(body: unknown): PredictRequest {
  const { instances, inputs } = parse(body);
  if (instances !== undefined && inputs !== undefined)
    throw invalid('expected either instances (rows) or inputs (columns), got both');
  if (instances !== undefined) return { images: imagesFrom(instances, 'instances'), inRows: true };
  if (inputs === undefined) throw invalid('expected instances (rows) or inputs (columns), got neither');
  return { images: imagesFrom(onlyValue(inputs), 'inputs'), inRows: false };
}

/** @throws HttpProblem 400 */
export function readClassify(body: unknown): RequestedImages {
  return imagesFrom(parse(body).examples, 'examples');
}

function parse(body: unknown): z.output<typeof requestSchema> {
  const { data, error } = requestSchema.safeParse(body ?? {});
  if (error) throw new HttpProblem(invalidProblem('body', error.issues, null, body));
  return data;
}

/** Returns the value of the one input of `{"image": value}`. `{"b64": ...}` is a value itself. */
function onlyValue(given: unknown): unknown {
  if (!isObject(given) || 'b64' in given) return given;
  const names = Object.keys(given);
  if (names.length === 1) return given[names[0]!];
  const shown = startOfText(names.slice(0, 20).join(', '), 80);
  throw invalid(`expected one input: the image, got ${names.length} (${shown})`);
}

/** Counts the images before it looks at each. */
function imagesFrom(given: unknown, where: string): RequestedImages {
  if (!Array.isArray(given))
    throw invalid(`expected ${where} to be an array of images, got ${typeName(given)}`);
  const arePictures = isObject(onlyValue(given[0]));
  const most = arePictures ? mostPictures : mostTensorImages;
  if (given.length < 1 || given.length > most)
    throw invalid(`expected from 1 to ${most} images in ${where}, got ${given.length}`);
  const images = given.map(onlyValue);
  if (!arePictures) return { tensor: tensorFrom(images, where) };
  return { pictures: images.map((each, i) => pictureFrom(each, `${i} of ${where}`)) };
}

function pictureFrom(given: unknown, where: string): Uint8Array {
  if (!isObject(given) || !('b64' in given))
    throw invalid(`expected {"b64": "..."} at ${where}, got another value`);
  return pictureFromText(given['b64'], `b64 at ${where}`);
}

/** Each must be one image: numbers that run over into the next would be read as another picture. */
function tensorFrom(images: readonly unknown[], where: string): Float32Array {
  const tensor = new Float32Array(images.length * imageSize);
  for (const [i, image] of images.entries()) {
    if (!Array.isArray(image)) throw invalid(`expected an array of ${imageSize} numbers at ${i} of ${where}`);
    tensor.set(greysFromJson(image, 1, 'FP32', `, at ${i} of ${where}`), i * imageSize);
  }
  return tensor;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
