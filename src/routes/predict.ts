/** POST /predict: a picture of a digit in, the digit out. */
import { setMaxListeners } from 'node:events';
import type { IncomingMessage } from 'node:http';
import multipart, { type MultipartFile } from '@fastify/multipart';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { imageSide } from '../model/dataset.ts';
import { encodePng } from '../model/picture.ts';
import type { Prediction, PredictOutcome, Predictor } from '../model/predictor.ts';
import { createJsonParser } from './json.ts';
import { HttpProblem, problems } from './problem.ts';
import { createReceived, type Received, readWhole } from './received.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What its body takes up. */
    received: Received | null;
  }
}

const maxImageBytes = 5 * 1024 * 1024;
const maxImages = 16;
const maxFormBytes = 16 * 1024 * 1024; // all images of one form together
const maxBase64Bytes = Math.ceil(maxImageBytes * 1.37) + 1024; // base64 takes 4/3, and the JSON around it

const probability = z.number().min(0).max(1);
const predictionSchema = z
  .object({
    digit: z.int().min(0).max(9),
    confidence: probability,
    probabilities: z.array(probability).length(10),
    model: z.object({
      version: z.int().positive(),
      jobId: z.string(),
      epoch: z.int().positive(),
      testAccuracy: z.number(),
    }),
    timings: z.object({ decodeMs: z.number(), queueMs: z.number(), inferMs: z.number() }),
    input: z
      .base64()
      .exactOptional()
      .describe('With `include=input`: a 28×28 grey PNG, pixel for pixel what the network saw'),
  })
  .meta({ id: 'Prediction' });
const predictionsSchema = z.object({ predictions: z.array(predictionSchema) });

const base64BodySchema = z.strictObject({ image: z.string() });

/** The route takes four types of body, which the OpenAPI generator can't be told by a schema. */
export const predictRequestBody = {
  required: true,
  content: {
    'image/png': { schema: { type: 'string', format: 'binary' } },
    'image/jpeg': { schema: { type: 'string', format: 'binary' } },
    'multipart/form-data': {
      schema: {
        type: 'object',
        properties: {
          image: { type: 'array', items: { type: 'string', format: 'binary' }, maxItems: maxImages },
        },
        required: ['image'],
      },
    },
    'application/json': {
      schema: {
        type: 'object',
        properties: { image: { type: 'string', contentEncoding: 'base64' } },
        required: ['image'],
        additionalProperties: false,
      },
    },
  },
} as const;

export const predictRoutes: FastifyPluginAsyncZod<{ predictor: Predictor }> = async (app, { predictor }) => {
  await app.register(multipart); // here alone: elsewhere a form would pass for no body
  const received = createReceived();
  const read = (request: FastifyRequest, payload: IncomingMessage) =>
    readWhole(request, payload, request.received!, maxBase64Bytes);
  const parseJson = createJsonParser(app);
  app.decorateRequest('received', null);
  app.addContentTypeParser(['image/png', 'image/jpeg'], read);
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', (request, payload, done) => {
    read(request, payload).then((body) => parseJson(request, body.toString(), done), done);
  });

  app.post('/predict', {
    bodyLimit: maxBase64Bytes,
    schema: {
      tags: ['predict'],
      operationId: 'predict',
      summary: 'Recognise a handwritten digit in a PNG or JPEG',
      querystring: z.strictObject({
        include: z.enum(['input']).exactOptional().describe('`input`: also the picture that the network saw'),
      }),
      response: {
        200: z.union([predictionSchema, predictionsSchema]),
        ...problems(400, 413, 415, 422, 503),
      },
    },
    serializerCompiler: () => JSON.stringify, // of predictions, which are ours: zod would check each once more
    onRequest: (request, reply, done) => {
      request.received = received.open(reply.raw);
      done();
    },
    handler: async (request, reply) => {
      const images = request.isMultipart() ? await readForm(request) : [readBody(request.body)];
      const withInput = request.query.include === 'input';
      const outcomes = await predictAll(predictor, images, reply, withInput);
      const found = outcomes.map((outcome, index) => expectPrediction(outcome, index, images.length));
      const predictions = withInput ? await Promise.all(found.map(showInput)) : found;
      return predictions.length === 1 ? predictions[0]! : { predictions };
    },
  });
};

/** Ends early, with outcomes `CANCELLED`, when the client goes away or when one image makes the answer a 503. */
async function predictAll(
  predictor: Predictor,
  images: readonly Uint8Array[],
  reply: FastifyReply,
  withInput: boolean,
): Promise<PredictOutcome[]> {
  const unwanted = new AbortController();
  setMaxListeners(maxImages, unwanted.signal);
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) unwanted.abort();
  });
  if (reply.raw.destroyed) unwanted.abort(); // while the body was read
  const outcomes = await Promise.all(
    images.map(async (image) => {
      const outcome = await predictor.predict(image, unwanted.signal, withInput);
      if (!outcome.ok && statusOf[outcome.code] === 503) unwanted.abort();
      return outcome;
    }),
  );
  const reason = outcomes.find((outcome) => !outcome.ok && statusOf[outcome.code] === 503);
  return outcomes.map((outcome) => (reason && isCancelled(outcome) ? reason : outcome));
}

function isCancelled(outcome: PredictOutcome): boolean {
  return !outcome.ok && outcome.code === 'CANCELLED';
}

function readBody(body: unknown): Uint8Array {
  if (Buffer.isBuffer(body)) return limited(body);
  return body === undefined || body === null ? new Uint8Array() : readBase64(body);
}

function readBase64(body: unknown): Uint8Array {
  const parsed = base64BodySchema.safeParse(body);
  const text = parsed.data?.image.replace(/^data:image\/(?:png|jpeg);base64,/, '').replaceAll(/\s/g, '');
  if (text === undefined || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    const message = 'expected {"image": "<base64 of a PNG or JPEG>"}';
    const errors = [{ field: 'image', message }];
    throw new HttpProblem({ status: 400, code: 'VALIDATION_FAILED', detail: `image: ${message}`, errors });
  }
  return limited(Buffer.from(text, 'base64'));
}

function limited(image: Buffer): Buffer {
  if (image.byteLength > maxImageBytes) throw tooLarge('an image', maxImageBytes);
  return image;
}

async function readForm(request: FastifyRequest): Promise<Uint8Array[]> {
  const images: Uint8Array[] = [];
  let total = 0;
  try {
    for await (const part of request.files({
      limits: { fileSize: maxImageBytes, files: maxImages, fields: 0 },
    })) {
      const image = await readPart(part, request.received!);
      total += image.byteLength;
      if (total > maxFormBytes) throw tooLarge('the images of one form', maxFormBytes);
      images.push(image);
    }
  } catch (error) {
    throw isRefusal(error) ? error : formNotReadable(error);
  }
  if (images.length === 0) throw formNotReadable(new Error('no file in it'));
  return images;
}

async function readPart(part: MultipartFile, received: Received): Promise<Uint8Array> {
  if (part.fieldname === 'image') {
    part.file.on('data', (chunk: Buffer) => {
      if (!received.take(chunk.byteLength)) part.file.destroy(received.refusal());
    });
    return part.toBuffer();
  }
  part.file.resume(); // read to its end, or the form never ends
  const message = `expected files in the field "image", got one in "${part.fieldname}"`;
  const errors = [{ field: part.fieldname, message }];
  throw new HttpProblem({ status: 400, code: 'VALIDATION_FAILED', detail: message, errors });
}

/** Refusals by this route or by the limits of the form parser; what is left is a form cut short or malformed. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof HttpProblem ||
    (error instanceof Error && 'code' in error && String(error.code).startsWith('FST_'))
  );
}

function formNotReadable(error: unknown): HttpProblem {
  const came = error instanceof Error ? error.message : String(error);
  const detail = `expected a whole multipart form with files in the field "image", got: ${came}`;
  return new HttpProblem({ status: 400, code: 'FORM_NOT_READABLE', detail });
}

function tooLarge(what: string, limit: number): HttpProblem {
  const detail = `expected ${what} to have at most ${limit} bytes, got more; make it smaller`;
  return new HttpProblem({ status: 413, code: 'IMAGE_TOO_LARGE', detail });
}

const statusOf: Record<Exclude<PredictOutcome, Prediction>['code'], number> = {
  IMAGE_EMPTY: 422,
  IMAGE_TYPE_UNSUPPORTED: 415,
  IMAGE_TOO_LARGE: 413,
  IMAGE_NOT_DECODABLE: 422,
  IMAGE_NO_INK: 422,
  NO_MODEL: 503,
  PREDICTOR_RESTARTED: 503,
  PREDICT_TIMEOUT: 503,
  OVERLOADED: 503,
  CANCELLED: 499, // nobody reads it
};

function expectPrediction(outcome: PredictOutcome, index: number, count: number): Omit<Prediction, 'ok'> {
  if (outcome.ok) {
    const { ok: _, ...prediction } = outcome;
    return prediction;
  }
  const status = statusOf[outcome.code];
  const detail = count > 1 ? `image ${index + 1} of ${count}: ${outcome.message}` : outcome.message;
  const retryAfterSeconds =
    'retryAfterSeconds' in outcome ? outcome.retryAfterSeconds : status === 503 ? 1 : undefined;
  throw new HttpProblem({ status, code: outcome.code, detail, retryAfterSeconds });
}

async function showInput({ pixels, ...prediction }: Omit<Prediction, 'ok'>) {
  const picture = await encodePng(pixels!, imageSide, imageSide);
  return { ...prediction, input: picture.toString('base64') };
}
