/** POST /predict: a picture in, the label out. */
import { setMaxListeners } from 'node:events';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { KeptAnswers } from '../model/corrections/kept-answers.ts';
import { pictureMediaTypes, pictureTypes } from '../model/image/formats/signatures.ts';
import type { LinePrediction, Prediction, PredictOutcome } from '../model/serving/messages.ts';
import type { PredictOptions } from '../model/serving/predictor.ts';
import { goneWith } from './http/client-gone.ts';
import { maxBase64Bytes, registerImageParsers } from './http/image-body.ts';
import { maxImages } from './http/image-limits.ts';
import { HttpProblem, problems } from './http/problem.ts';
import { createReceived } from './http/received-body.ts';
import type { PictureReader } from './metrics.ts';
import { pngOf } from './picture-answer.ts';
import { expectPrediction, isUnavailable } from './prediction-outcome.ts';
import {
  linePredictionSchema,
  linePredictionsSchema,
  predictionSchema,
  predictionsSchema,
  predictQuerySchema,
} from './prediction-schema.ts';

const binary = { schema: { type: 'string', format: 'binary' } } as const;

/** The body types that the route accepts, for the OpenAPI document: a schema can't tell the generator. */
export const predictRequestBody = {
  description: `A ${pictureTypes} as it is, of whatever \`Content-Type\`, or of none: the bytes decide. Of several frames the first is read. Up to 15 MiB and 64 megapixels; an AVIF, a GIF, an interlaced PNG, a progressive JPEG or a lossless WebP can't be shrunk while it is decoded, and less may be too much. Or several pictures as the files of a form, or one as base64 in JSON.`,
  required: true,
  content: {
    ...Object.fromEntries(pictureMediaTypes.map((type) => [type, binary])),
    'application/octet-stream': binary,
    'multipart/form-data': {
      schema: {
        type: 'object',
        properties: {
          image: {
            type: 'array',
            items: { type: 'string', format: 'binary' },
            maxItems: maxImages,
            description: 'Files may be in fields of any name; fields of text are ignored',
          },
        },
        required: ['image'],
      },
    },
    'application/json': {
      schema: {
        type: 'object',
        properties: {
          image: {
            type: 'string',
            contentEncoding: 'base64',
            description: 'Also base64url, without padding, or a data URL of any type',
          },
        },
        required: ['image'],
        additionalProperties: false,
      },
    },
  },
} as const;

type Dependencies = {
  predictor: PictureReader;
  kept: KeptAnswers | null; // null: answers are not kept
};

export const predictRoutes: FastifyPluginAsyncZod<Dependencies> = async (app, parts) => {
  const { predictor, kept } = parts;
  const received = createReceived();
  app.decorateRequest('received', null);
  registerImageParsers(app);

  app.post('/predict', {
    bodyLimit: maxBase64Bytes,
    schema: {
      tags: ['predict'],
      operationId: 'predict',
      summary: 'Read a picture: which label of the model it shows',
      querystring: predictQuerySchema,
      response: {
        200: z.union([predictionSchema, predictionsSchema, linePredictionSchema, linePredictionsSchema]),
        ...problems(400, 404, 409, 413, 415, 422, 503),
      },
    },
    serializerCompiler: () => JSON.stringify, // predictions are our own: zod would check each again
    onRequest: (request, reply, done) => {
      request.received = received.open(reply.raw);
      done();
    },
    handler: async (request, reply) => {
      const images = (request.body as Buffer[] | undefined) ?? [Buffer.alloc(0)];
      const { read, include, top, keep, ...selector } = request.query;
      expectOneSelector(selector);
      if (read === 'line') {
        expectNone({ include, top });
        const readOne: ReadOne<LinePrediction> = (image, signal) =>
          predictor.predictLine(image, { ...selector, signal });
        const lines = await predictAll(images, request, reply, readOne);
        return lines.length === 1 ? lines[0]! : { predictions: lines };
      }
      const keeper = keep === 'false' ? null : kept;
      const withPixels = include === 'input' || keeper !== null;
      const found = await predictAll<Prediction>(images, request, reply, (image, signal) =>
        predictor.predict(image, { ...selector, withPixels, signal }),
      );
      const predictions = await Promise.all(found.map((each) => shown(each, { include, top }, keeper)));
      return predictions.length === 1 ? predictions[0]! : { predictions };
    },
  });
};

/** What the predictor makes of one image. */
type ReadOne<Found> = (image: Uint8Array, signal: AbortSignal) => Promise<PredictOutcome<Found>>;

/** @throws HttpProblem where one of the images is not read */
async function predictAll<Found extends { readonly ok: true }>(
  images: readonly Buffer[],
  request: FastifyRequest,
  reply: FastifyReply,
  readOne: ReadOne<Found>,
): Promise<Omit<Found, 'ok'>[]> {
  const outcomes = await outcomesOf(images, reply, readOne);
  expectPictureType(request, images, outcomes);
  return outcomes.map((outcome, index) => expectPrediction(outcome, index, images.length));
}

/** Cancels the other images when the client disconnects or when one image makes the answer a 503. */
async function outcomesOf<Found extends { readonly ok: true }>(
  images: readonly Uint8Array[],
  reply: FastifyReply,
  readOne: ReadOne<Found>,
): Promise<PredictOutcome<Found>[]> {
  const unwanted = goneWith(reply);
  setMaxListeners(maxImages, unwanted.signal);
  const outcomes = await Promise.all(
    images.map(async (image) => {
      const outcome = await readOne(image, unwanted.signal);
      if (isUnavailable(outcome)) unwanted.abort();
      return outcome;
    }),
  );
  const reason = outcomes.find((outcome) => isUnavailable(outcome));
  return outcomes.map((outcome) => (reason && isCancelled(outcome) ? reason : outcome));
}

function isCancelled(outcome: PredictOutcome<{ readonly ok: true }>): boolean {
  return !outcome.ok && outcome.code === 'CANCELLED';
}

/** @throws HttpProblem 415 for a body whose Content-Type is not documented and whose bytes are no picture */
function expectPictureType(
  { mediaType }: FastifyRequest,
  [body]: readonly Buffer[],
  [outcome]: readonly PredictOutcome<{ readonly ok: true }>[],
): void {
  if (outcome!.ok || outcome!.code !== 'IMAGE_TYPE_UNSUPPORTED') return;
  if (mediaType !== undefined && mediaType in predictRequestBody.content) return;
  const type = mediaType ?? 'a body without Content-Type';
  const isJson = /^\s*[[{]/.test(body!.toString('latin1', 0, 100));
  const detail = isJson
    ? `expected {"image": "<base64>"} with Content-Type: application/json, got JSON as ${type}; set that header. A ${pictureTypes} may have any type, a form is multipart/form-data`
    : `${outcome!.message}, or send a form as multipart/form-data, or {"image": "<base64>"} as application/json, not as ${type}`;
  throw new HttpProblem({ status: 415, code: 'MEDIA_TYPE_UNSUPPORTED', detail });
}

/** @throws HttpProblem 400 where a request names a version in two ways */
function expectOneSelector({ alias, version, minVersion }: PredictOptions): void {
  const named = Object.entries({ alias, version, minVersion }).filter(([, value]) => value !== undefined);
  if (named.length < 2) return;
  const names = named.map(([name]) => name).join(' and ');
  const detail = `expected one of alias, version and minVersion, got ${names}; leave all but one out`;
  throw new HttpProblem({ status: 400, code: 'VALIDATION_FAILED', detail });
}

/** @throws HttpProblem 400 where a line is asked for what only the answer to one character has */
function expectNone(options: Record<string, unknown>): void {
  const given = Object.keys(options).filter((name) => options[name] !== undefined);
  if (given.length === 0) return;
  const detail = `expected no ${given.join(' and no ')} with read=line, which has an answer for each character; leave it out`;
  throw new HttpProblem({ status: 400, code: 'VALIDATION_FAILED', detail });
}

type Wanted = { readonly include: 'input' | undefined; readonly top: number | undefined };

/** A prediction as the answer shows it; it is kept where answers are. */
async function shown(
  { pixels, labels, ...prediction }: Omit<Prediction, 'ok'>,
  { include, top }: Wanted,
  kept: KeptAnswers | null,
) {
  return {
    ...prediction,
    ...(kept && { predictionId: kept.keep({ ...prediction, pixels: pixels! }) }),
    ...(top !== undefined && { top: likeliest(prediction, labels, top) }),
    ...(include === 'input' && { input: await pngOf(pixels!) }),
  };
}

function likeliest(
  { probabilities, digit }: Pick<Prediction, 'probabilities' | 'digit'>,
  labels: readonly string[],
  count: number,
) {
  const all = probabilities.map((probability, i) => {
    return { label: labels[i]!, ...(digit !== undefined && { digit: i }), probability };
  });
  return all.toSorted((a, b) => b.probability - a.probability).slice(0, count);
}
