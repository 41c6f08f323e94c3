/** /openapi.json: OpenAPI 3.1 from the schemas that validate, and what a schema has no words for. */
import { STATUS_CODES } from 'node:http';
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 as OpenApi } from 'openapi-types';
import { type Access, describeAccess } from './guard.ts';
import { predictRequestBody } from './predict.ts';

type Operation = OpenApi.OperationObject & { responses: Record<string, OpenApi.ResponseObject> };

/** Before the routes: it learns of those that are registered after it. */
export async function registerOpenApi(app: FastifyInstance, access: Access): Promise<void> {
  const transformObject = createJsonSchemaTransformObject({});
  const { securitySchemes, security } = describeAccess(access);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Trainyard',
        description: 'Train a convolutional network and serve it, over HTTP.',
        version: '0.1.0',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
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
  app.get('/openapi.json', { schema: { hide: true }, config: { anonymous: true } }, async () =>
    app.swagger(),
  );
}

function complete({ paths = {} }: OpenApi.Document): void {
  for (const path of Object.values(paths)) {
    for (const method of ['get', 'post'] as const) {
      const operation = path?.[method] as Operation | undefined;
      for (const [status, response] of Object.entries(operation?.responses ?? {})) {
        completeResponse(Number(status), response);
      }
    }
  }
  const operationAt = (url: string, method: 'get' | 'post') => paths[url]![method] as Operation;
  operationAt('/predict', 'post').requestBody = predictRequestBody as unknown as OpenApi.RequestBodyObject;
  const train = operationAt('/jobs/train', 'post');
  (train.requestBody as OpenApi.RequestBodyObject).required = false; // every field has a default
  train.responses['202']!.headers = { Location: header('string', 'The path of the job') };
  const events = operationAt('/jobs/{id}/events', 'get').responses['200']!;
  // One of these in the `data` of each event; OpenAPI 3.1 has no words for a stream of them.
  events.content = { 'text/event-stream': Object.values(events.content!)[0]! };
  operationAt('/datasets/{name}/samples.png', 'get').responses['200'] = png;
  operationAt('/datasets/{name}/test/{index}.png', 'get').responses['200'] = {
    ...png,
    headers: { 'X-Label': header('integer', 'The digit that it shows') },
  };
}

/** zod describes each named schema twice, as it is sent (`NameInput`) and as it is answered; of most, one is used. */
function keepUsedSchemas(document: OpenApi.Document): OpenApi.Document {
  const schemas = document.components!.schemas!;
  const isUsed = (name: string) => JSON.stringify(document).includes(`"#/components/schemas/${name}"`);
  for (let unused: string[]; (unused = Object.keys(schemas).filter((name) => !isUsed(name))).length > 0; ) {
    for (const name of unused) delete schemas[name]; // what these alone have used is found in the next round
  }
  const sentOnly = Object.keys(schemas).filter(
    (name) => name.endsWith('Input') && !(name.slice(0, -5) in schemas),
  );
  const text = sentOnly.reduce(
    (whole, name) =>
      whole
        .replaceAll(`"${name}"`, `"${name.slice(0, -5)}"`)
        .replaceAll(`/${name}"`, `/${name.slice(0, -5)}"`),
    JSON.stringify(document),
  );
  return JSON.parse(text) as OpenApi.Document;
}

const png: OpenApi.ResponseObject = {
  description: 'A picture',
  content: { 'image/png': { schema: { type: 'string', format: 'binary' } } },
};

/** Problems have a media type of their own (RFC 9457); those that pass say when to try again. */
function completeResponse(status: number, response: OpenApi.ResponseObject): void {
  response.description = STATUS_CODES[status] ?? response.description;
  const [body] = Object.values(response.content ?? {});
  if (!isProblem(body?.schema)) return;
  response.content = { 'application/problem+json': body! };
  if (status === 429 || status === 503) {
    response.headers = { 'Retry-After': header('integer', 'Seconds') };
  }
}

function isProblem(schema: unknown): boolean {
  return (schema as OpenApi.ReferenceObject | undefined)?.$ref === '#/components/schemas/Problem';
}

function header(type: 'string' | 'integer', description: string): OpenApi.HeaderObject {
  return { description, schema: { type } };
}
