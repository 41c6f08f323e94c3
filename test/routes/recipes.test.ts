import Fastify from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { expect, it } from 'vitest';
import type { DatasetDescription } from '../../src/model/data/dataset.ts';
import { recipeFor } from '../../src/model/training/recipe.ts';
import { recipeRoutes } from '../../src/routes/recipes.ts';

const stamps: DatasetDescription = {
  name: 'stamps',
  form: 'picture',
  labels: ['paid', 'void'],
  counts: { train: 100, test: 20 },
  testSet: '0'.repeat(64),
  checksums: {},
};

it('a small set of pictures is offered the small recipe, with passes for its size and no made ink', async () => {
  const app = Fastify().setValidatorCompiler(validatorCompiler).setSerializerCompiler(serializerCompiler);
  await app.register(recipeRoutes, {
    datasets: { describe: async () => stamps },
    imports: { find: async () => null },
  });
  const { data, automatic } = (await app.inject('/recipes?dataset=stamps')).json();
  expect(automatic).toBe('small');
  expect(data.find(({ name }: { name: string }) => name === automatic)).toMatchObject({
    ...recipeFor('small', stamps),
    otherHands: 0,
    outliers: 0,
  });
  await app.close();
});
