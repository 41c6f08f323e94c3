/** Calls that change which version answers. Each one takes effect once this server has loaded the version. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  type Caller,
  type CallPorts,
  type CallResult,
  moveAlias,
  removeAlias,
  rollBack,
  shareTraffic,
} from '../model/registry/calls.ts';
import { aliasName, modelName } from '../model/registry/names.ts';
import type { Registry } from '../model/registry/registry.ts';
import { testedOf } from '../model/registry/tested.ts';
import type { Predictor } from '../model/serving/predictor.ts';
import type { ModelStore } from '../model/store/store.ts';
import { bodyIsOptional } from './http/bodies.ts';
import { problems } from './http/problem.ts';
import { describe, etagOf, expectAllowed, registeredModelSchema } from './registered-model.ts';
import { createVersionIndex } from './version-index.ts';

const reason = z.string().max(1000).default('').describe('Kept in the history');
const byModel = z.object({ model: modelName });
const byAlias = z.object({ model: modelName, alias: aliasName });
const entityTags = /^\s*(?:\*|(?:W\/)?"[^"]*"(?:\s*,\s*(?:W\/)?"[^"]*")*)\s*$/; // RFC 9110, 13.1.1
const ifMatch = z
  .string()
  .max(1000)
  .regex(entityTags, { error: 'expected an ETag with its quotes, such as "17", several of them, or *' })
  .exactOptional();
const headers = z.looseObject({
  'if-match': ifMatch.describe('Only if the model still has this ETag, or one of several'),
});
const moveHeaders = headers.extend({
  'if-none-match': z.literal('*').exactOptional().describe('Only if there is no such alias'),
});
const shares = z
  .record(aliasName, z.number().int().min(0).max(100))
  .refine((record) => Object.values(record).reduce((sum, percent) => sum + percent, 0) === 100, {
    error: 'expected per cent by alias, 100 in all, such as {"champion": 90, "challenger": 10}',
  });
const response = { 200: registeredModelSchema, ...problems(400, 404, 409, 412, 415, 503) };
const tags = ['registry'];

const moveSchema = {
  tags,
  operationId: 'moveAlias',
  summary: 'Point an alias to a version, once this server has loaded it',
  params: byAlias,
  headers: moveHeaders,
  body: z.strictObject({ version: z.int().positive(), reason }),
  response,
};
const removeSchema = {
  tags,
  operationId: 'removeAlias',
  summary: 'Remove an alias other than champion',
  params: byAlias,
  headers,
  response: { 204: z.null(), ...problems(400, 404, 409, 412, 503) },
};
const rollBackSchema = {
  tags,
  operationId: 'rollBack',
  summary: 'Make the champion before this one champion again',
  params: byModel,
  headers,
  body: z.strictObject({ reason }),
  response,
};
const trafficSchema = {
  tags,
  operationId: 'shareTraffic',
  summary: 'Share the requests that name no version among aliases',
  params: byModel,
  headers,
  body: shares,
  response,
};

type Dependencies = {
  store: ModelStore;
  registry: Registry;
  predictor: Pick<Predictor, 'loadVersion' | 'follow'>;
};

export const registryCallRoutes: FastifyPluginAsyncZod<Dependencies> = async (app, parts) => {
  const index = createVersionIndex(parts.store);
  const ports = portsOf(parts);

  /** The model as it is after a call, once this server's predictor follows it. */
  const settle = async (model: string, result: CallResult, reply: FastifyReply) => {
    const { state } = expectAllowed(result);
    await parts.predictor.follow((serving) => (serving[model]?.revision ?? 0) >= state.revision);
    reply.header('etag', etagOf(state));
    return describe(model, state, await index.read());
  };

  app.put('/registry/:model/aliases/:alias', { schema: moveSchema }, async (request, reply) => {
    const { version } = request.body;
    const { model } = request.params;
    return settle(model, await moveAlias(request.params, version, callerOf(request), ports), reply);
  });

  app.delete('/registry/:model/aliases/:alias', { schema: removeSchema }, async (request, reply) => {
    const { model } = request.params;
    await settle(model, await removeAlias(request.params, callerOf(request), ports), reply);
    return reply.code(204).send(null);
  });

  app.post('/registry/:model/rollback', {
    schema: rollBackSchema,
    preValidation: bodyIsOptional,
    handler: async (request, reply) => {
      const { model } = request.params;
      return settle(model, await rollBack(model, callerOf(request), ports), reply);
    },
  });

  app.put('/registry/:model/traffic', { schema: trafficSchema }, async (request, reply) => {
    const { model } = request.params;
    return settle(model, await shareTraffic(model, request.body, callerOf(request), ports), reply);
  });
};

function portsOf({ store, registry, predictor }: Dependencies): CallPorts {
  return {
    registry,
    load: (version) => predictor.loadVersion(version),
    testedOf: async (version) => {
      const manifest = await store.manifest(version).catch(() => null); // damaged since it was loaded
      return manifest && testedOf(manifest);
    },
  };
}

function callerOf(request: Pick<FastifyRequest, 'headers' | 'body' | 'caller'>): Caller {
  const { reason: given } = (request.body ?? {}) as { reason?: unknown };
  const { 'if-match': ifMatchTags, 'if-none-match': ifNoneMatch } = request.headers;
  return {
    by: request.caller,
    reason: typeof given === 'string' ? given : '',
    ifRevision: revisionsIn(ifMatchTags),
    ifAbsent: ifNoneMatch === '*',
  };
}

/** Strong comparison (RFC 9110, 13.1.1): a weak tag, or one that is none of ours, matches nothing. */
function revisionsIn(list: string | undefined): number[] | null {
  if (list === undefined || list.trim() === '*') return null;
  return list.split(',').map((tag) => Number(/^"(\d{1,15})"$/.exec(tag.trim())?.[1] ?? -1));
}
