/** Models by name: which version answers, who decided so and why, and calls that change it. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  aliasNotFound,
  type Caller,
  type CallPorts,
  type CallResult,
  modelUnknown,
  moveAlias,
  type Refusal,
  removeAlias,
  rollBack,
  shareTraffic,
} from '../model/registry/calls.ts';
import { decisionSchema, type RegistryState, stateSchema } from '../model/registry/decision.ts';
import { aliasName, modelName } from '../model/registry/names.ts';
import type { Registry } from '../model/registry/registry.ts';
import { testedOf } from '../model/registry/tested.ts';
import type { Predictor } from '../model/serving/predictor.ts';
import type { ModelStore } from '../model/store/store.ts';
import { HttpProblem, problems } from './http/problem.ts';
import { createVersionIndex, type VersionIndex } from './version-index.ts';

const registeredModelSchema = z
  .object({
    name: modelName,
    dataset: z.string(),
    labels: z.array(z.string()),
    aliases: stateSchema.shape.aliases,
    traffic: stateSchema.shape.traffic,
    versions: z.int().describe('How many are in the store'),
    newest: z.int().nullable(),
    revision: stateSchema.shape.revision.describe(
      'The number of the last decision that changed this, and the ETag',
    ),
  })
  .meta({ id: 'RegisteredModel' });
const decision = decisionSchema.omit({ format: true, state: true }).meta({ id: 'Decision' });

const reason = z.string().max(1000).default('').describe('Kept in the history');
const byModel = z.object({ model: modelName });
const byAlias = z.object({ model: modelName, alias: aliasName });
const conditional = z.looseObject({
  'if-match': z.string().max(64).exactOptional().describe('Only if the model still has this ETag'),
});
const shares = z
  .record(aliasName, z.number().int().min(0).max(100))
  .refine((record) => Object.values(record).reduce((sum, percent) => sum + percent, 0) === 100, {
    error: 'expected per cent by alias, 100 in all, such as {"champion": 90, "challenger": 10}',
  });
const tags = ['registry'];

type Dependencies = {
  store: ModelStore;
  registry: Registry;
  predictor: Pick<Predictor, 'loadVersion' | 'follow'>;
};

export const registryRoutes: FastifyPluginAsyncZod<Dependencies> = async (
  app,
  { store, registry, predictor },
) => {
  const index = createVersionIndex(store);
  const ports: CallPorts = {
    registry,
    load: (version) => predictor.loadVersion(version),
    testedOf: async (version) => {
      const manifest = await store.manifest(version);
      return manifest && testedOf(manifest);
    },
  };
  const read = async (model: string) => expect((await registry.read(model)) ?? modelUnknown(model));

  /** Answers with the model as it is after a call, once this server's predictor follows it. */
  const answer = async (result: CallResult, reply: FastifyReply) => {
    const { model, state } = expect(result).decision;
    await predictor.follow((serving) => (serving[model]?.revision ?? 0) >= state.revision);
    reply.header('etag', etagOf(state));
    return describe(model, state, await index.read());
  };

  app.get('/registry', {
    schema: {
      tags,
      operationId: 'listRegistry',
      summary: 'List the models with their aliases',
      response: { 200: z.object({ data: z.array(registeredModelSchema) }) },
    },
    handler: async () => {
      const versions = await index.read();
      const states = await Promise.all(
        (await registry.models()).map(async (model) => ({ model, state: await registry.read(model) })),
      );
      const data = states.flatMap(({ model, state }) => (state ? [describe(model, state, versions)] : []));
      return { data };
    },
  });

  app.get('/registry/:model', {
    schema: {
      tags,
      operationId: 'getRegistered',
      summary: 'Read which versions the aliases of a model point to',
      params: byModel,
      response: { 200: registeredModelSchema, ...problems(400, 404) },
    },
    handler: async ({ params: { model } }, reply) => {
      const state = await read(model);
      reply.header('etag', etagOf(state));
      return describe(model, state, await index.read());
    },
  });

  app.get('/registry/:model/aliases/:alias', {
    schema: {
      tags,
      operationId: 'getAlias',
      summary: 'Read which version an alias points to',
      params: byAlias,
      response: { 200: z.object({ alias: aliasName, ...aliasShape }), ...problems(400, 404) },
    },
    handler: async ({ params: { model, alias } }, reply) => {
      const state = await read(model);
      reply.header('etag', etagOf(state));
      return { alias, ...expect(state.aliases[alias] ?? aliasNotFound(model, alias, state)) };
    },
  });

  app.put('/registry/:model/aliases/:alias', {
    schema: {
      tags,
      operationId: 'moveAlias',
      summary: 'Point an alias to a version, once this server has loaded it',
      params: byAlias,
      headers: conditional,
      body: z.strictObject({ version: z.int().positive(), reason }),
      response: { 200: registeredModelSchema, ...problems(400, 404, 409, 412, 415) },
    },
    handler: async (request, reply) => {
      const { version } = request.body;
      return answer(await moveAlias(request.params, version, callOf(request), ports), reply);
    },
  });

  app.delete('/registry/:model/aliases/:alias', {
    schema: {
      tags,
      operationId: 'removeAlias',
      summary: 'Remove an alias other than champion',
      params: byAlias,
      headers: conditional,
      response: { 204: z.null(), ...problems(400, 404, 409, 412) },
    },
    handler: async (request, reply) => {
      await answer(await removeAlias(request.params, callOf(request), ports), reply);
      return reply.code(204).send(null);
    },
  });

  app.post('/registry/:model/rollback', {
    schema: {
      tags,
      operationId: 'rollBack',
      summary: 'Make the champion before this one champion again',
      params: byModel,
      headers: conditional,
      body: z.strictObject({ reason }),
      response: { 200: registeredModelSchema, ...problems(400, 404, 409, 412, 415) },
    },
    preValidation: async (request) => {
      if (request.body === undefined) (request as { body: unknown }).body = {};
    },
    handler: async (request, reply) =>
      answer(await rollBack(request.params.model, callOf(request), ports), reply),
  });

  app.put('/registry/:model/traffic', {
    schema: {
      tags,
      operationId: 'shareTraffic',
      summary: 'Share the requests that name no version among aliases',
      params: byModel,
      headers: conditional,
      body: shares,
      response: { 200: registeredModelSchema, ...problems(400, 404, 409, 412, 415) },
    },
    handler: async (request, reply) =>
      answer(await shareTraffic(request.params.model, request.body, callOf(request), ports), reply),
  });

  app.get('/registry/:model/history', {
    schema: {
      tags,
      operationId: 'getHistory',
      summary: 'List what was decided about a model, by whom and why, newest first',
      params: byModel,
      querystring: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(100) }),
      response: { 200: z.object({ data: z.array(decision) }), ...problems(400, 404) },
    },
    handler: async ({ params: { model }, query: { limit } }) => {
      await read(model);
      const data = (await registry.history(model, limit)).map(({ format: _, state: __, ...rest }) => rest);
      return { data };
    },
  });
};

const aliasShape = stateSchema.shape.aliases.valueType.shape;

const etagOf = ({ revision }: RegistryState) => `"${revision}"`;

function describe(name: string, { aliases, traffic, revision }: RegistryState, index: VersionIndex) {
  const { versions, newest, dataset, labels } = index.of(name);
  return { name, dataset, labels, aliases, traffic, versions, newest, revision };
}

type CallRequest = Pick<FastifyRequest, 'headers' | 'body' | 'caller'>;

function callOf(request: CallRequest): Caller {
  const { reason: given = '' } = (request.body ?? {}) as { reason?: string };
  return { by: request.caller, reason: given, ifRevision: revisionIn(request.headers['if-match']) };
}

/** Strong comparison (RFC 9110, 13.1.1): a weak tag, or one that is none of ours, matches nothing. */
function revisionIn(tag: string | undefined): number | null {
  if (tag === undefined || tag.trim() === '*') return null;
  return Number(/^"(\d{1,15})"$/.exec(tag.trim())?.[1] ?? -1);
}

const statusOf: Record<Refusal['code'], number> = {
  MODEL_UNKNOWN: 404,
  MODEL_NOT_FOUND: 404,
  ALIAS_NOT_FOUND: 404,
  MODEL_NOT_LOADABLE: 409,
  CHAMPION_NEEDED: 409,
  NO_CHAMPION_BEFORE: 409,
  REGISTRY_CHANGED: 412,
};

/** @throws HttpProblem for a refusal */
function expect<Value extends object>(value: Value | Refusal): Value {
  if (!isRefusal(value)) return value;
  throw new HttpProblem({ status: statusOf[value.code], code: value.code, detail: value.message });
}

function isRefusal(value: object): value is Refusal {
  return 'ok' in value && value.ok === false;
}
