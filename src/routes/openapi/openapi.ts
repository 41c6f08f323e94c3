/** /openapi.json: OpenAPI 3.1 from the schemas that validate, and what a schema has no words for. */

import { STATUS_CODES } from 'node:http';
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 as OpenApi } from 'openapi-types';
import { programVersion } from '../../lib/program-version.ts';
import { type Access, describeAccess } from '../http/guard.ts';
import { predictRequestBody } from '../predict.ts';
import { addExamples, type Operation } from './examples.ts';
import {
  classifyRequestBody,
  indexRequestBody,
  inferRequestBody,
  rowsRequestBody,
} from './protocol-bodies.ts';

const introduction = `Train a convolutional network on handwritten digits and serve it, over HTTP.

**Start.** \`POST /jobs/train\`, with no body, queues a training. \`GET /jobs/{id}\` shows how far it is,
\`GET /jobs/{id}/events\` tells it as it happens. The model that comes of it answers \`POST /predict\`.

**Errors** are problems (RFC 9457). \`code\` is stable, for programs; \`detail\` says what was expected, what came and what
to do next; \`errors\` names each field that is not as it should be. With 429 and 503, \`Retry-After\` says when to try again.

**Bodies** may be compressed: \`Content-Encoding: gzip\`, \`deflate\` or \`br\`. A body that is empty is none, whatever its
\`Content-Type\`. A slash at the end of a path changes nothing.

**Keys.** Where the server has keys (\`API_KEY\`), each request needs \`Authorization: Bearer KEY\`, but for health and this
document: see *Authorize*.

Times are ISO 8601. Durations are in seconds, where the name does not end in \`Ms\`.`;

const tags = [
  {
    name: 'jobs',
    description: 'Trainings: each waits in a queue, runs, and publishes a model after every epoch',
  },
  { name: 'predict', description: 'A model reads a digit' },
  {
    name: 'corrections',
    description: 'People say what a picture shows, and trainings learn from it',
  },
  {
    name: 'protocols',
    description: 'What clients of other servers speak: Open Inference Protocol (KServe V2), TF Serving',
  },
  { name: 'models', description: 'What has been published, where it came from and how good it is' },
  { name: 'registry', description: 'Which version of a model answers, who decided so, and why' },
  {
    name: 'datasets',
    description: 'What networks learn from: built in, or imported from an archive of pictures',
  },
  { name: 'health', description: 'For probes and monitoring' },
];

/** Before the routes: it learns of those that are registered after it. */
export async function registerOpenApi(app: FastifyInstance, access: Access): Promise<void> {
  const transformObject = createJsonSchemaTransformObject({});
  const { securitySchemes, security } = describeAccess(access);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Trainyard',
        description: introduction,
        version: programVersion,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags,
      components: { securitySchemes },
      security: [...security],
    },
    transform: createJsonSchemaTransform({}),
    transformObject: (document) => {
      const openapi = transformObject(document) as OpenApi.Document;
      complete(openapi);
      return keepUsedSchemas(openapi);
    },
  });
  app.get('/openapi.json', { schema: { hide: true }, config: { anonymous: true } }, async () => ({
    ...app.swagger(),
    // Relative to the document (OpenAPI 3.1, Server Object), which may lie below a path of a proxy.
    servers: [{ url: './', description: 'The server that this comes from' }],
  }));
}

function complete({ paths = {} }: OpenApi.Document): void {
  const operations = Object.values(paths).flatMap(
    (path) => [path?.get, path?.post, path?.put, path?.delete] as Operation[],
  );
  const present = operations.filter((operation) => operation !== undefined);
  for (const { responses } of present) {
    for (const [status, response] of Object.entries(responses)) completeResponse(Number(status), response);
  }
  completeBodies(paths);
  present.forEach(addExamples);
}

/** What no schema can say. */
function completeBodies(paths: OpenApi.PathsObject): void {
  const operationAt = (url: string, method: 'get' | 'post') => paths[url]![method] as Operation;
  operationAt('/predict', 'post').requestBody = predictRequestBody as unknown as OpenApi.RequestBodyObject;
  operationAt('/v2/models/{model}/infer', 'post').requestBody = inferRequestBody;
  operationAt('/v1/models/{model}:predict', 'post').requestBody = rowsRequestBody;
  operationAt('/v1/models/{model}:classify', 'post').requestBody = classifyRequestBody;
  operationAt('/v2/repository/index', 'post').requestBody = indexRequestBody;
  const train = operationAt('/jobs/train', 'post');
  (train.requestBody as OpenApi.RequestBodyObject).required = false; // every field has a default
  train.responses['202']!.headers = { Location: header('string', 'The path of the job') };
  const added = operationAt('/corrections', 'post').responses;
  for (const status of ['200', '201'])
    added[status]!.headers = { Location: header('string', 'The path of the correction') };
  describeETags(paths);
  for (const url of ['/jobs/{id}/events', '/datasets/{name}/events']) {
    const events = operationAt(url, 'get').responses['200']!;
    // One of these in the `data` of each event; OpenAPI 3.1 has no words for a stream of them.
    events.content = { 'text/event-stream': Object.values(events.content!)[0]! };
  }
  operationAt('/datasets/{name}/samples.png', 'get').responses['200'] = png();
  for (const part of ['test', 'train'])
    operationAt(`/datasets/{name}/${part}/{index}.png`, 'get').responses['200'] = {
      ...png(),
      headers: { 'X-Label': header('string', 'The label of what it shows, percent-encoded') },
    };
  operationAt('/models/{version}/export', 'get').responses['200'] = exported;
  const imported = operationAt('/datasets', 'post');
  imported.requestBody = archiveBody;
  imported.responses['202']!.headers = { Location: header('string', 'The path of the data set') };
  operationAt('/metrics', 'get').responses['200'] = {
    description: 'OK',
    content: { 'text/plain': { schema: { type: 'string' } } },
  };
}

/** What answers with a model, or with one of its aliases, says which revision of the model that is. */
function describeETags(paths: OpenApi.PathsObject): void {
  for (const [url, path] of Object.entries(paths)) {
    if (!url.startsWith('/registry/{model}') || url.endsWith('/history')) continue;
    for (const operation of [path!.get, path!.put, path!.post] as (Operation | undefined)[]) {
      const answer = operation?.responses['200'];
      if (answer) answer.headers = { ETag: header('string', 'For If-Match: the revision of the model') };
    }
  }
}

/** zod describes each named schema twice, as it is sent (`NameInput`) and as it is answered; of most, one is used. */
function keepUsedSchemas(document: OpenApi.Document): OpenApi.Document {
  const schemas = document.components!.schemas!;
  const isUnused = (name: string) => !JSON.stringify(document).includes(`"#/components/schemas/${name}"`);
  for (let unused: string[]; (unused = Object.keys(schemas).filter(isUnused)).length > 0; ) {
    for (const name of unused) delete schemas[name]; // what these alone have used is found in the next round
  }
  return nameAlike(document, Object.keys(schemas));
}

/** Renames a schema `NameInput` to `Name` where no answer has a schema of that name. */
function nameAlike(document: OpenApi.Document, names: readonly string[]): OpenApi.Document {
  let text = JSON.stringify(document);
  for (const input of names.filter((name) => name.endsWith('Input'))) {
    const name = input.slice(0, -'Input'.length);
    if (!names.includes(name)) text = text.replaceAll(new RegExp(`(?<=["/])${input}"`, 'g'), `${name}"`);
  }
  return JSON.parse(text) as OpenApi.Document;
}

const bytes = { type: 'string', format: 'binary' } as const;

/** What POST /datasets takes: its handler reads it. */
const archiveBody: OpenApi.RequestBodyObject = {
  required: true,
  description: 'A zip, tar or tar.gz: the bytes tell which, whatever the content type',
  content: {
    'application/zip': { schema: bytes },
    'application/x-tar': { schema: bytes },
    'application/gzip': { schema: bytes },
    'application/octet-stream': { schema: bytes },
    'multipart/form-data': {
      schema: { type: 'object', properties: { archive: bytes }, required: ['archive'] },
    },
  },
};

/** What GET /models/:version/export answers, by its format. */
const exported: OpenApi.ResponseObject = {
  description: 'onnx and safetensors are octet streams, tfjs is a zip, card is Markdown',
  content: {
    'application/octet-stream': { schema: bytes },
    'application/zip': { schema: bytes },
    'text/markdown': { schema: { type: 'string' } },
  },
  headers: {
    ETag: header('string', 'For If-None-Match: changes with the bytes'),
    'Content-Disposition': header('string', 'The name of the file: MODEL-VERSION.onnx'),
  },
};

function png(): OpenApi.ResponseObject {
  const content = { 'image/png': { schema: { type: 'string' as const, format: 'binary' } } };
  return { description: 'A picture', content };
}

/** Problems have a media type of their own (RFC 9457); those that pass say when to try again. */
function completeResponse(status: number, response: OpenApi.ResponseObject): void {
  response.description = STATUS_CODES[status] ?? response.description;
  if (status === 204 || status === 304) delete response.content;
  const [body] = Object.values(response.content ?? {});
  if (!isProblem(body?.schema)) return;
  response.content = { 'application/problem+json': body! };
  if (status === 429 || status === 503) {
    response.headers = { 'Retry-After': header('integer', 'Seconds') };
  }
}

function isProblem(schema: unknown): boolean {
  const { $ref } = (schema ?? {}) as Partial<OpenApi.ReferenceObject>;
  return $ref === '#/components/schemas/Problem' || $ref === '#/components/schemas/ProtocolProblem';
}

function header(type: 'string' | 'integer', description: string): OpenApi.HeaderObject {
  return { description, schema: { type } };
}
