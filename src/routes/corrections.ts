/** Corrections: pictures of which a person has said what they show. Trainings can learn from them. */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  type AddOutcome,
  type Correction,
  type Corrections,
  correctionLabel,
  correctionSchema,
  mostCorrections,
  type NewCorrection,
  withPixels,
} from '../model/corrections/corrections.ts';
import type { KeptAnswers } from '../model/corrections/kept-answers.ts';
import { correctionIdLength, predictionIdOf } from '../model/corrections/picture-id.ts';
import { modelName } from '../model/registry/names.ts';
import type { Prediction } from '../model/serving/messages.ts';
import type { Predictor } from '../model/serving/predictor.ts';
import { parseJson } from './http/bodies.ts';
import { goneWith } from './http/client-gone.ts';
import { base64Image, maxBase64Bytes } from './http/image-body.ts';
import { HttpProblem, problems } from './http/problem.ts';
import { createReceived, readWhole } from './http/received-body.ts';
import { pageOf, pageQuery } from './page-of.ts';
import { pngOf } from './picture-answer.ts';
import { expectPrediction } from './prediction-outcome.ts';
import { warningSchema } from './prediction-schema.ts';
import { predictionNotKept } from './review.ts';
import type { VersionLabels } from './version-labels.ts';

const maxReceivedBytes = 64 * 1024 * 1024; // of all requests under way
const tags = ['corrections'];
const idParams = z.object({
  id: z.string().regex(new RegExp(`^[0-9a-f]{${correctionIdLength}}$`), {
    error: `expected the id of a correction, ${correctionIdLength} hexadecimal digits`,
  }),
});

const shownSchema = correctionSchema
  .extend({ input: z.base64().describe('The 28×28 grey PNG that the network saw and learns from') })
  .meta({ id: 'Correction' });

const addedSchema = shownSchema
  .extend({
    warnings: z
      .array(warningSchema)
      .exactOptional()
      .describe('With `image`: what was seen in the picture, or taken away, before it was read'),
  })
  .meta({ id: 'AddedCorrection' });

const bodySchema = z
  .strictObject({
    image: base64Image.exactOptional().describe('The picture, as base64; or else `predictionId`'),
    predictionId: z
      .uuid()
      .exactOptional()
      .describe('Of an answer that was kept, with KEEP_INPUTS=true; or else `image`'),
    label: correctionLabel,
    model: modelName.exactOptional().describe('The model that learns from it; with `image` only'),
  })
  .refine(({ image, predictionId }) => (image === undefined) !== (predictionId === undefined), {
    error: 'expected either image or predictionId',
  })
  .refine(({ model, predictionId }) => model === undefined || predictionId === undefined, {
    path: ['model'],
    error: 'expected it with image only: an answer that was kept is of the model that gave it',
  });
type Body = z.output<typeof bodySchema>;

const addSchema = {
  tags,
  operationId: 'addCorrection',
  summary: 'Say what a picture shows, for later trainings to learn from',
  body: bodySchema,
  response: {
    200: addedSchema.describe('The same picture has this label already'),
    201: addedSchema,
    ...problems(400, 404, 409, 413, 415, 422, 503),
  },
};
const listSchema = {
  tags,
  operationId: 'listCorrections',
  summary: 'List corrections, newest first',
  querystring: pageQuery('The last id of the page before').extend({ model: modelName.exactOptional() }),
  response: {
    200: z.object({ data: z.array(shownSchema), hasMore: z.boolean(), count: z.int() }),
    ...problems(400),
  },
};
const getSchema = {
  tags,
  operationId: 'getCorrection',
  summary: 'Read a correction',
  params: idParams,
  response: { 200: shownSchema, ...problems(400, 404) },
};
const removeSchema = {
  tags,
  operationId: 'removeCorrection',
  summary: 'Remove a correction; jobs that are queued already still learn from it',
  params: idParams,
  response: { 204: z.null(), ...problems(400, 404) },
};

type Dependencies = {
  corrections: Corrections;
  kept: KeptAnswers | null; // null: without KEEP_INPUTS
  predictor: Pick<Predictor, 'predict'>;
  labelsOf: VersionLabels;
};

export const correctionRoutes: FastifyPluginAsyncZod<Dependencies> = async (app, parts) => {
  const { corrections, kept } = parts;
  registerParser(app);

  app.post('/corrections', {
    bodyLimit: maxBase64Bytes,
    schema: addSchema,
    handler: async ({ body }, reply) => {
      const { warnings, ...answer } = await answerTo(body, parts, reply);
      expectLabel(body.label, await parts.labelsOf(answer.answer.version));
      const { outcome, correction } = expectAdded(await corrections.add({ ...answer, label: body.label }));
      await kept?.remove(predictionIdOf(answer.model, answer.pixels));
      reply.code(outcome === 'added' ? 201 : 200).header('location', `/corrections/${correction.id}`);
      return { ...(await show(correction)), ...(warnings && { warnings }) };
    },
  });

  app.get('/corrections', { schema: listSchema }, async ({ query: { model, ...page } }) => {
    const all = await corrections.list(model);
    const { data, hasMore } = pageOf(all, page, ({ correction }) => correction.id);
    const shown = data.map((stored) => show(withPixels(stored)));
    return { data: await Promise.all(shown), hasMore, count: all.length };
  });

  app.get('/corrections/:id', { schema: getSchema }, async ({ params: { id } }) => {
    const correction = await corrections.find(id);
    if (!correction) throw unknownCorrection(id);
    return show(correction);
  });

  app.delete('/corrections/:id', { schema: removeSchema }, async ({ params: { id } }, reply) => {
    if (!(await corrections.remove(id))) throw unknownCorrection(id);
    return reply.code(204).send(null);
  });
};

/** JSON as large as a picture in base64, and a bound on what all such bodies take up. */
function registerParser(app: FastifyInstance): void {
  const received = createReceived(maxReceivedBytes);
  app.decorateRequest('received', null);
  app.addHook('onRequest', (request, reply, done) => {
    request.received = received.open(reply.raw);
    done();
  });
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', async (request: FastifyRequest, payload: IncomingMessage) =>
    parseJson(await readWhole(request, payload, request.received, request.routeOptions.bodyLimit)),
  );
}

/** @throws HttpProblem for a picture that can't be read, or an answer that is not kept */
async function answerTo(
  { image, predictionId, model: named }: Body,
  { kept, predictor }: Dependencies,
  reply: FastifyReply,
): Promise<Omit<NewCorrection, 'label'> & Partial<Pick<Prediction, 'warnings'>>> {
  if (image === undefined) {
    const found = (await kept?.find(predictionId!)) ?? null;
    if (!found) throw predictionNotKept(predictionId!, kept !== null);
    const { model, label, confidence, verdict, pixels } = found;
    return { model: model.name, pixels, answer: { version: model.version, label, confidence, verdict } };
  }
  const { signal } = goneWith(reply);
  const outcome = await predictor.predict(image, {
    ...(named !== undefined && { model: named }),
    withPixels: true,
    signal,
  });
  const { model, label, confidence, verdict, pixels, warnings } = expectPrediction(outcome, 0, 1);
  return {
    model: model.name,
    pixels: pixels!,
    answer: { version: model.version, label, confidence, verdict },
    warnings,
  };
}

/** @throws HttpProblem 400 for a label that the model does not have */
function expectLabel(label: string | null, labels: readonly string[]): void {
  if (label === null || labels.includes(label)) return;
  const named = labels
    .slice(0, 20)
    .map((each) => `"${each}"`)
    .join(', ');
  const detail = `expected a label of the model, ${named}${labels.length > 20 ? ', …' : ''}, or null for none of them, got "${label}"`;
  const errors = [{ field: 'label', message: detail }];
  throw new HttpProblem({
    status: 400,
    code: 'VALIDATION_FAILED',
    detail: `in the request's body: label: ${detail}`,
    errors,
  });
}

function expectAdded(result: AddOutcome) {
  if (result.outcome === 'full') {
    const detail = `expected fewer than ${mostCorrections} corrections, which is the most; remove some with DELETE /corrections/:id`;
    throw new HttpProblem({ status: 409, code: 'CORRECTIONS_FULL', detail });
  }
  if (result.outcome !== 'conflict') return result;
  const { id, label } = result.correction;
  const said = label === null ? 'none of the labels' : `label "${label}"`;
  const detail = `expected ${said}, which correction ${id} gives to the same picture, got another; remove that one first if it is wrong`;
  throw new HttpProblem({ status: 409, code: 'CORRECTION_CONFLICT', detail });
}

async function show({ pixels, ...correction }: Correction) {
  return { ...correction, input: await pngOf(pixels) };
}

function unknownCorrection(id: string): HttpProblem {
  const detail = `expected the id of a correction in GET /corrections, got "${id}"`;
  return new HttpProblem({ status: 404, code: 'CORRECTION_NOT_FOUND', detail });
}
