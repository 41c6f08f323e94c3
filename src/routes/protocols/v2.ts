/**
 * The Open Inference Protocol (KServe V2) over REST, with its binary tensor and classification extensions:
 * https://github.com/kserve/open-inference-protocol. An alias may stand where a version stands.
 */
import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify';
import { z } from 'zod';
import { modelName } from '../../model/registry/names.ts';
import type { ModelStore } from '../../model/store/store.ts';
import { goneWith } from '../http/client-gone.ts';
import { HttpProblem, invalidProblem } from '../http/problem.ts';
import type { PictureReader } from '../metrics.ts';
import { createDescribe, type Describe, type Serving, selectorOf } from './described-version.ts';
import { maxBodyBytes, parseProtocolJson, protocolProblems, speakProtocol } from './protocol-scope.ts';
import { readImages } from './read-images.ts';
import { writeInferAnswer } from './v2-answer.ts';
import { isReady, modelMetadata, repositoryIndex, serverMetadata } from './v2-metadata.ts';
import { readInferRequest } from './v2-request.ts';

export type ProtocolDependencies = {
  readonly predictor: Serving;
  readonly reader: PictureReader;
  readonly store: Pick<ModelStore, 'manifest'>;
};

const tags = ['protocols'];
const tensor = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()) });
const inferModel = z
  .object({
    name: z.string(),
    versions: z.array(z.string()).describe('Versions that aliases point to, newest first'),
    platform: z.string(),
    inputs: z.array(tensor),
    outputs: z.array(tensor),
  })
  .meta({ id: 'InferModel' });
const output = tensor.extend({
  data: z.array(z.union([z.number(), z.string()])).exactOptional(),
  parameters: z.object({ binary_data_size: z.int() }).exactOptional(),
});
const inferAnswer = z
  .object({
    model_name: z.string(),
    model_version: z.string(),
    id: z.string().exactOptional(),
    outputs: z.array(output),
  })
  .meta({ id: 'InferAnswer' });
const indexEntry = z.object({
  name: z.string(),
  version: z.string(),
  state: z.string(),
  reason: z.string(),
});
const indexBodySchema = z.object({ ready: z.boolean().exactOptional() });

const byModel = z.object({ model: modelName, version: z.string().exactOptional() });

const serverSchema = {
  tags,
  operationId: 'getInferServer',
  summary: 'Open Inference Protocol: the server and its extensions',
  response: {
    200: z.object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) }),
  },
};
const liveSchema = {
  tags,
  operationId: 'getInferLiveness',
  summary: 'Open Inference Protocol: the process answers',
  response: { 200: z.object({ live: z.boolean() }) },
};
const serverReadySchema = {
  tags,
  operationId: 'getInferReadiness',
  summary: 'Open Inference Protocol: a model answers',
  description: 'Before the first model it is a 503 with `{"ready": false}`.',
  response: { 200: z.object({ ready: z.boolean() }) },
};
const indexSchema = {
  tags,
  operationId: 'listInferModels',
  summary: 'Open Inference Protocol: the versions that an alias points to',
  response: { 200: z.array(indexEntry), ...protocolProblems(400) },
};
const metadataSchema = {
  tags,
  operationId: 'getInferModel',
  summary: 'Open Inference Protocol: what a model takes and answers',
  description: 'Also below `/versions/{version}`, for a version by its number or by an alias.',
  params: byModel,
  response: { 200: inferModel, ...protocolProblems(400, 404, 409, 503) },
};
const modelReadySchema = {
  tags,
  operationId: 'getInferModelReadiness',
  summary: 'Open Inference Protocol: whether a model answers',
  description: 'Also below `/versions/{version}`, for a version by its number or by an alias.',
  params: byModel,
  response: {
    200: z.object({ name: z.string(), ready: z.boolean() }),
    ...protocolProblems(400, 404, 409, 503),
  },
};
const inferRouteSchema = {
  tags,
  operationId: 'infer',
  summary: 'Open Inference Protocol: read images',
  description:
    'Also below `/versions/{version}`, for a version by its number or by an alias. Inputs and outputs may be binary, as the extension for binary tensors says.',
  params: byModel,
  response: { 200: inferAnswer, ...protocolProblems(400, 404, 409, 413, 415, 422, 503) },
};

const modelPaths = ['/models/:model', '/models/:model/versions/:version'];

export const v2Routes: FastifyPluginAsync<ProtocolDependencies> = async (app, parts) => {
  await app.register(speakV2, { ...parts, prefix: '/v2' });
};

const speakV2: FastifyPluginAsync<ProtocolDependencies> = async (scope, parts) => {
  speakProtocol(scope);
  const describe = createDescribe(parts.predictor, parts.store);
  serverRoutes(scope, parts);
  indexRoute(scope, parts);
  for (const path of modelPaths) {
    describeRoutes(scope, path, describe, parts);
    inferRoute(scope, path, parts);
  }
};

function serverRoutes(scope: FastifyInstance, { predictor }: ProtocolDependencies): void {
  scope.get('', { schema: serverSchema }, async () => serverMetadata);

  const probe = { config: { anonymous: true }, logLevel: 'warn' } as const;
  scope.get('/health/live', { ...probe, schema: liveSchema }, async () => ({ live: true }));

  scope.get(
    '/health/ready',
    { ...probe, schema: serverReadySchema },
    async (_request, reply: FastifyReply) => {
      const ready = isReady(predictor);
      return reply.code(ready ? 200 : 503).send({ ready });
    },
  );
}

function indexRoute(scope: FastifyInstance, { predictor }: ProtocolDependencies): void {
  scope.post('/repository/index', { schema: indexSchema }, async (request) => {
    const body = request.body ? parseProtocolJson(request.body as Buffer) : undefined;
    const { error } = indexBodySchema.safeParse(body ?? {});
    if (error) throw new HttpProblem(invalidProblem('body', error.issues, null, body));
    return repositoryIndex(predictor);
  });
}

type ByModel = { Params: z.output<typeof byModel> };

function describeRoutes(
  scope: FastifyInstance,
  path: string,
  describe: Describe,
  { predictor }: ProtocolDependencies,
): void {
  const hide = path !== modelPaths[0];
  scope.get<ByModel>(path, { schema: { ...metadataSchema, hide } }, async ({ params }) =>
    modelMetadata(await describe(selectorOf(params)), predictor),
  );

  scope.get<ByModel>(`${path}/ready`, { schema: { ...modelReadySchema, hide } }, async ({ params }) => {
    const { model } = await describe(selectorOf(params));
    return { name: model, ready: true };
  });
}

function inferRoute(scope: FastifyInstance, path: string, { reader }: ProtocolDependencies): void {
  scope.post<ByModel>(`${path}/infer`, {
    bodyLimit: maxBodyBytes,
    schema: { ...inferRouteSchema, hide: path !== modelPaths[0] },
    handler: async (request, reply) => {
      const selector = selectorOf(request.params);
      const wanted = readInferRequest(request);
      const read = await readImages(wanted.images, selector, goneWith(reply), reader);
      const { json, binary } = writeInferAnswer(read, wanted);
      if (!binary) return reply.type('application/json; charset=utf-8').send(json);
      reply.header('inference-header-content-length', String(json.byteLength));
      return reply.type('application/octet-stream').send(Buffer.concat([json, binary]));
    },
  });
}
