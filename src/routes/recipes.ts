/** GET /recipes: the recipes that a training job can name, with their values. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { resolvedRequestSchema } from '../jobs/contract.ts';
import { networkNames } from '../model/network/specification.ts';
import { datasetName } from '../model/registry/names.ts';
import {
  type RecipeName,
  type RecipeTarget,
  recipeFor,
  recipeNameFor,
  recipeNames,
  recipeSummaries,
  recipes,
} from '../model/training/recipe.ts';
import { problems } from './http/problem.ts';
import { type DatasetPorts, expectDataset } from './trainable-dataset.ts';

const ownOfJob = {
  model: true,
  promote: true,
  recipe: true,
  dataset: true,
  seed: true,
  testImages: true,
  metadata: true,
  corrections: true,
} as const;
const values = resolvedRequestSchema.omit(ownOfJob); // what a recipe decides
const recipeSchema = z
  .object({ name: z.enum(recipeNames), summary: z.string(), ...values.shape, network: z.enum(networkNames) })
  .meta({ id: 'Recipe' });

const answerSchema = z.object({
  data: z.array(recipeSchema),
  automatic: z
    .enum(recipeNames)
    .exactOptional()
    .describe('With `dataset`: the recipe of a job on it that names none'),
});

export const recipeRoutes: FastifyPluginAsyncZod<DatasetPorts> = async (app, ports) => {
  app.get('/recipes', {
    schema: {
      tags: ['jobs'],
      operationId: 'listRecipes',
      summary: 'List the recipes that a training job can name, with all of their values',
      querystring: z.strictObject({
        dataset: datasetName.exactOptional().describe('The values that they have for this data set'),
      }),
      response: { 200: answerSchema, ...problems(400, 404, 409, 503) },
    },
    handler: async ({ query: { dataset } }) => {
      if (dataset === undefined) return { data: recipeNames.map((name) => shown(name, recipes[name])) };
      const target = await expectDataset(dataset, ports);
      const data = recipeNames.map((name) => shown(name, { ...recipes[name], ...valuesFor(name, target) }));
      return { data, automatic: recipeNameFor(target) };
    },
  });
};

/** A recipe's values for a data set but its network, which is the same for all. */
function valuesFor(name: RecipeName, target: RecipeTarget) {
  const { network: _, ...own } = recipeFor(name, target);
  return own;
}

function shown(name: RecipeName, own: (typeof recipes)[RecipeName]) {
  return { name, summary: recipeSummaries[name], ...own };
}
