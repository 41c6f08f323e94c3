/** Answers that were kept for people to look at, least sure first. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type KeptAnswers, keptAnswerSchema, keptAtMost } from '../model/corrections/kept-answers.ts';
import { modelName } from '../model/registry/names.ts';
import { HttpProblem, problems } from './http/problem.ts';
import { pageOf, pageQuery } from './page-of.ts';
import { pngOf } from './picture-answer.ts';

const tags = ['corrections'];
const shownSchema = keptAnswerSchema
  .extend({ input: z.base64().describe('The 28×28 grey PNG that the network saw') })
  .meta({ id: 'KeptAnswer' });

const listSchema = {
  tags,
  operationId: 'listReview',
  summary: 'List answers that were kept for review, least sure first',
  querystring: pageQuery('The last predictionId of the page before').extend({
    model: modelName.exactOptional(),
  }),
  response: {
    200: z.object({
      keepInputs: z.boolean().describe('Whether answers are kept: with KEEP_INPUTS=true'),
      data: z.array(shownSchema),
      hasMore: z.boolean(),
      count: z.int(),
    }),
    ...problems(400),
  },
};
const removeSchema = {
  tags,
  operationId: 'removeFromReview',
  summary: 'Take an answer off the list, such as one that is right',
  params: z.object({ predictionId: z.uuid() }),
  response: { 204: z.null(), ...problems(400, 404) },
};

/** `kept`: null without KEEP_INPUTS. */
export const reviewRoutes: FastifyPluginAsyncZod<{ kept: KeptAnswers | null }> = async (app, { kept }) => {
  app.get('/review', { schema: listSchema }, async ({ query: { model, ...page } }) => {
    const all = (await kept?.list()) ?? [];
    const wanted = all.filter((answer) => model === undefined || answer.model.name === model);
    const { data, hasMore } = pageOf(wanted, page, ({ predictionId }) => predictionId);
    const shown = data.map(async ({ pixels, ...answer }) => ({ ...answer, input: await pngOf(pixels) }));
    return { keepInputs: kept !== null, data: await Promise.all(shown), hasMore, count: wanted.length };
  });

  app.delete('/review/:predictionId', { schema: removeSchema }, async ({ params }, reply) => {
    if (!(await kept?.remove(params.predictionId)))
      throw predictionNotKept(params.predictionId, kept !== null);
    return reply.code(204).send(null);
  });
};

export function predictionNotKept(predictionId: string, keepsInputs: boolean): HttpProblem {
  const why = keepsInputs
    ? `the newest ${keptAtMost.newest} of this server and the ${keptAtMost.leastSure} least sure ones are kept`
    : 'answers are kept only with KEEP_INPUTS=true';
  const detail = `expected the predictionId of an answer that is kept, got ${predictionId}: ${why}; send the picture itself as image`;
  return new HttpProblem({ status: 404, code: 'PREDICTION_NOT_KEPT', detail });
}
