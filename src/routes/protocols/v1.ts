/**
 * TensorFlow Serving's REST API (https://www.tensorflow.org/tfx/serving/api_rest). `GET /v1/models/{model}` also has what
 * KServe's first protocol answers there. A label is an alias.
 */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { startOfText } from '../../lib/start-of-text.ts';
import { imageSide } from '../../model/data/dataset.ts';
import { modelName } from '../../model/registry/names.ts';
import type { Selector } from '../../model/serving/select-version.ts';
import { goneWith } from '../http/client-gone.ts';
import { HttpProblem } from '../http/problem.ts';
import { aliasedVersions, createDescribe, type Describe, selectorOf } from './described-version.ts';
import { maxBodyBytes, parseProtocolJson, protocolProblems, speakProtocol } from './protocol-scope.ts';
import { type ReadImages, readImages } from './read-images.ts';
import { readClassify, readPredict } from './v1-request.ts';
import type { ProtocolDependencies } from './v2.ts';
import { probabilitiesOf } from './v2-answer.ts';

const tags = ['protocols'];
const also = 'Also below `/versions/{number}` and `/labels/{alias}`.';
const params = z.object({
  model: modelName,
  version: z.string().exactOptional(),
  label: z.string().exactOptional(),
});
type ByModel = { Params: z.output<typeof params> };

const refusals = protocolProblems(400, 404, 409, 503);
const listSchema = {
  tags,
  operationId: 'listServingModels',
  summary: 'KServe V1: the models that answer',
  response: { 200: z.object({ models: z.array(z.string()) }) },
};
const statusSchema = {
  tags,
  operationId: 'getServingStatus',
  summary: 'TensorFlow Serving, KServe V1: which versions of a model answer',
  description: also,
  params,
  response: {
    200: z.object({
      name: z.string(),
      ready: z.boolean(),
      model_version_status: z.array(
        z.object({
          version: z.string(),
          state: z.string(),
          status: z.object({ error_code: z.string(), error_message: z.string() }),
        }),
      ),
    }),
    ...refusals,
  },
};
const metadataSchema = {
  tags,
  operationId: 'getServingMetadata',
  summary: 'TensorFlow Serving: what a model takes and answers',
  description: also,
  params,
  response: {
    200: z.object({
      model_spec: z.object({ name: z.string(), signature_name: z.string(), version: z.string() }),
      metadata: z.object({ signature_def: z.unknown() }),
    }),
    ...refusals,
  },
};
const readingRefusals = protocolProblems(400, 404, 409, 413, 415, 422, 503);
const image = z.object({ probabilities: z.array(z.number()), label: z.string(), verdict: z.string() });
const columns = z.object({
  probabilities: z.array(z.array(z.number())),
  label: z.array(z.string()),
  verdict: z.array(z.string()),
});
const predictSchema = {
  tags,
  operationId: 'servingPredict',
  summary: 'TensorFlow Serving: read images, given in rows or in columns',
  description: also,
  params,
  response: {
    200: z.union([z.object({ predictions: z.array(image) }), z.object({ outputs: columns })]),
    ...readingRefusals,
  },
};
const classifySchema = {
  tags,
  operationId: 'servingClassify',
  summary: 'TensorFlow Serving: the labels of images, the likeliest first',
  description: also,
  params,
  response: {
    200: z.object({ results: z.array(z.array(z.tuple([z.string(), z.number()]))) }),
    ...readingRefusals,
  },
};

/** A colon ends it, where `:predict` may follow. */
const upToColon = '(^[^:/]+)';
const modelPaths = [
  ['/models/:model', `/models/:model${upToColon}`],
  ['/models/:model/versions/:version', `/models/:model/versions/:version${upToColon}`],
  ['/models/:model/labels/:label', `/models/:model/labels/:label${upToColon}`],
] as const;

export const v1Routes: FastifyPluginAsync<ProtocolDependencies> = async (app, parts) => {
  await app.register(speakV1, { ...parts, prefix: '/v1' });
};

const speakV1: FastifyPluginAsync<ProtocolDependencies> = async (scope, parts) => {
  speakProtocol(scope);
  const describe = createDescribe(parts.predictor, parts.store);
  scope.get('/models', { schema: listSchema }, async () => ({
    models: Object.keys(parts.predictor.serving()),
  }));
  for (const [path, callPath] of modelPaths) {
    const hide = path !== modelPaths[0][0];
    describeRoutes(scope, { path, hide }, describe, parts);
    readRoutes(scope, { path: callPath, hide }, parts);
  }
};

type Place = { readonly path: string; readonly hide: boolean };

function describeRoutes(
  scope: FastifyInstance,
  { path, hide }: Place,
  describe: Describe,
  { predictor }: ProtocolDependencies,
): void {
  scope.get<ByModel>(path, { schema: { ...statusSchema, hide } }, async ({ params: wanted }) => {
    const named = wanted.version !== undefined || wanted.label !== undefined;
    const { model: name, version: one } = await describe(selected(wanted));
    const versions = named ? [one] : aliasedVersions(predictor, name);
    const status = { error_code: 'OK', error_message: '' };
    return {
      name,
      ready: true,
      model_version_status: versions.map((each) => ({ version: String(each), state: 'AVAILABLE', status })),
    };
  });

  scope.get<ByModel>(`${path}/metadata`, { schema: { ...metadataSchema, hide } }, async (request) => {
    const found = await describe(selected(request.params));
    return {
      model_spec: { name: found.model, signature_name: '', version: String(found.version) },
      metadata: { signature_def: { signature_def: { serving_default: signatureOf(found.labels.length) } } },
    };
  });
}

function readRoutes(scope: FastifyInstance, { path, hide }: Place, { reader }: ProtocolDependencies): void {
  const options = { bodyLimit: maxBodyBytes };
  scope.post<ByModel>(`${path}::predict`, {
    ...options,
    schema: { ...predictSchema, hide },
    handler: async (request, reply) => {
      const selector = selected(request.params);
      const { images, inRows } = readPredict(parseProtocolJson(bodyOf(request)));
      const found = await readImages(images, selector, goneWith(reply), reader);
      return inRows ? { predictions: rowsOf(found) } : { outputs: columnsOf(found) };
    },
  });

  scope.post<ByModel>(`${path}::classify`, {
    ...options,
    schema: { ...classifySchema, hide },
    handler: async (request, reply) => {
      const selector = selected(request.params);
      const images = readClassify(parseProtocolJson(bodyOf(request)));
      const found = await readImages(images, selector, goneWith(reply), reader);
      return { results: found.answers.map((_, i) => classesOf(found, i)) };
    },
  });

  scope.post<{ Params: { call: string } }>(`${path}:::call`, {
    ...options,
    schema: { hide: true },
    handler: ({ params: { call } }) => {
      const detail = `expected :predict or :classify after the model, got :${startOfText(call, 80)}; models here are classifiers`;
      throw new HttpProblem({ status: 404, code: 'NOT_FOUND', detail });
    },
  });
}

function bodyOf({ body }: { readonly body: unknown }): Buffer {
  return (body as Buffer | undefined) ?? Buffer.alloc(0);
}

const isNumber = (text: string) => /^\d+$/.test(text);

/** @throws HttpProblem 404 for a version that is no number, and a label that is no alias */
function selected({ model: name, version: number, label: alias }: ByModel['Params']): Selector {
  const isOther = (number !== undefined && !isNumber(number)) || (alias !== undefined && isNumber(alias));
  if (!isOther) return selectorOf({ model: name, version: number ?? alias });
  const detail = `expected /versions/NUMBER or /labels/ALIAS, got ${startOfText((number ?? alias)!, 80)}`;
  throw new HttpProblem({ status: 404, code: 'MODEL_NOT_FOUND', detail });
}

function rowsOf(found: ReadImages) {
  return found.answers.map(({ label: name, verdict }, i) => {
    return { probabilities: [...probabilitiesOf(found, i)], label: name, verdict };
  });
}

function columnsOf(found: ReadImages) {
  return {
    probabilities: found.answers.map((_, i) => [...probabilitiesOf(found, i)]),
    label: found.answers.map((answer) => answer.label),
    verdict: found.answers.map((answer) => answer.verdict),
  };
}

function classesOf(found: ReadImages, index: number): [string, number][] {
  const row = [...probabilitiesOf(found, index)];
  const classes = row.map((probability, i): [string, number] => [found.labels[i]!, probability]);
  return classes.toSorted(([, a], [, b]) => b - a);
}

/** As TensorFlow writes a signature; sizes are text there. */
function signatureOf(labels: number) {
  return {
    inputs: {
      image: { dtype: 'DT_FLOAT', tensor_shape: shapeOf(-1, imageSide, imageSide, 1), name: 'image' },
    },
    outputs: {
      probabilities: { dtype: 'DT_FLOAT', tensor_shape: shapeOf(-1, labels), name: 'probabilities' },
      label: { dtype: 'DT_STRING', tensor_shape: shapeOf(-1), name: 'label' },
      verdict: { dtype: 'DT_STRING', tensor_shape: shapeOf(-1), name: 'verdict' },
    },
    method_name: 'tensorflow/serving/predict',
  };
}

function shapeOf(...sizes: number[]) {
  const dim = sizes.map((size) => ({ size: String(size), name: '' }));
  return { dim, unknown_rank: false };
}
