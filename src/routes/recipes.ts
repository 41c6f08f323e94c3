/** GET /recipes: the recipes that a training job can name, with their values. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { resolvedRequestSchema } from '../jobs/contract.ts';
import { networkNames } from '../model/network/specification.ts';
import { recipeNames, recipeSummaries, recipes } from '../model/training/recipe.ts';

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

export const recipeRoutes: FastifyPluginAsyncZod = async (app) => {
  app.get('/recipes', {
    schema: {
      tags: ['jobs'],
      operationId: 'listRecipes',
      summary: 'List the recipes that a training job can name, with all of their values',
      response: { 200: z.object({ data: z.array(recipeSchema) }) },
    },
    handler: async () => ({
      data: recipeNames.map((name) => ({ name, summary: recipeSummaries[name], ...recipes[name] })),
    }),
  });
};
