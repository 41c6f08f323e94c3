/** Models by name: which version answers, who decided so, and why. */
import type { FastifyBaseLogger } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { aliasNotFound, modelUnknown } from '../model/registry/calls.ts';
import { decisionSchema, type RegistryState, stateSchema } from '../model/registry/decision.ts';
import { aliasName, modelName } from '../model/registry/names.ts';
import type { Registry } from '../model/registry/registry.ts';
import type { ModelStore } from '../model/store/store.ts';
import { isKnown } from './http/entity-tags.ts';
import { problems } from './http/problem.ts';
import { describe, etagOf, expectAllowed, registeredModelSchema } from './registered-model.ts';
import { createVersionIndex } from './version-index.ts';

const decision = decisionSchema
  .omit({ format: true, state: true })
  .extend({
    traffic: stateSchema.shape.traffic.describe(
      'After the decision: per cent by alias; null: all to champion',
    ),
  })
  .meta({ id: 'Decision' });
const byModel = z.object({ model: modelName });
const byAlias = z.object({ model: modelName, alias: aliasName });
const tags = ['registry'];

const listSchema = {
  tags,
  operationId: 'listRegistry',
  summary: 'List the models with their aliases',
  response: { 200: z.object({ data: z.array(registeredModelSchema) }) },
};
const modelSchema = {
  tags,
  operationId: 'getRegistered',
  summary: 'Read which versions the aliases of a model point to',
  params: byModel,
  response: { 200: registeredModelSchema, 304: z.null(), ...problems(400, 404, 503) },
};
const aliasSchema = {
  tags,
  operationId: 'getAlias',
  summary: 'Read which version an alias points to',
  params: byAlias,
  response: {
    200: z.object({ alias: aliasName, ...stateSchema.shape.aliases.valueType.shape }),
    304: z.null(),
    ...problems(400, 404, 503),
  },
};
const historySchema = {
  tags,
  operationId: 'getHistory',
  summary: 'List what was decided about a model, by whom and why, newest first',
  params: byModel,
  querystring: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(100) }),
  response: { 200: z.object({ data: z.array(decision) }), ...problems(400, 404, 503) },
};

/** The list leaves out a model whose decisions can't be read; GET by name answers with the error. */
function leaveOut(model: string, log: FastifyBaseLogger) {
  return (error: unknown): null => {
    log.warn({ err: error, model }, 'model left out of the registry');
    return null;
  };
}

type Dependencies = { store: ModelStore; registry: Registry };

export const registryRoutes: FastifyPluginAsyncZod<Dependencies> = async (app, { store, registry }) => {
  const index = createVersionIndex(store);
  const read = async (model: string): Promise<RegistryState> =>
    expectAllowed((await registry.read(model)) ?? modelUnknown(model));

  app.get('/registry', { schema: listSchema }, async ({ log }) => {
    const versions = await index.read();
    const models = await registry.models();
    const states = await Promise.all(models.map((model) => registry.read(model).catch(leaveOut(model, log))));
    return {
      data: models.flatMap((model, i) => (states[i] ? [describe(model, states[i], versions)] : [])),
    };
  });

  app.get('/registry/:model', { schema: modelSchema }, async ({ params: { model }, headers }, reply) => {
    const state = await read(model);
    reply.header('etag', etagOf(state));
    if (isKnown(headers['if-none-match'], etagOf(state))) return reply.code(304).send(null);
    return describe(model, state, await index.read());
  });

  app.get('/registry/:model/aliases/:alias', { schema: aliasSchema }, async ({ params, headers }, reply) => {
    const { model, alias } = params;
    const state = await read(model);
    reply.header('etag', etagOf(state));
    if (isKnown(headers['if-none-match'], etagOf(state))) return reply.code(304).send(null);
    return { alias, ...expectAllowed(state.aliases[alias] ?? aliasNotFound(model, alias, state)) };
  });

  app.get('/registry/:model/history', { schema: historySchema }, async ({ params: { model }, query }) => {
    await read(model);
    const decisions = await registry.history(model, query.limit);
    return { data: decisions.map((each) => ({ ...each, traffic: each.state.traffic })) }; // the schema leaves the states out
  });
};
