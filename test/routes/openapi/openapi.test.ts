/** /openapi.json as a whole; examples.test.ts carries out what it shows. */
import { expect, it } from 'vitest';
import { pictureMediaTypes } from '../../../src/model/image/formats/signatures.ts';
import { buildQuietApp } from '../quiet-app.ts';

it('describes every route in OpenAPI 3.1', async () => {
  const document = (await (await buildQuietApp()).inject('/openapi.json')).json();
  expect(document.openapi).toBe('3.1.0');
  expect(Object.keys(document.paths).toSorted()).toEqual([
    '/corrections',
    '/corrections/{id}',
    '/datasets',
    '/datasets/{name}',
    '/datasets/{name}/events',
    '/datasets/{name}/samples.png',
    '/datasets/{name}/test/{index}.png',
    '/datasets/{name}/train/{index}.png',
    '/health/live',
    '/health/ready',
    '/jobs',
    '/jobs/train',
    '/jobs/{id}',
    '/jobs/{id}/cancel',
    '/jobs/{id}/events',
    '/jobs/{id}/metrics',
    '/metrics',
    '/models',
    '/models/{version}',
    '/models/{version}/comparison/{other}',
    '/models/{version}/evaluation',
    '/models/{version}/export',
    '/predict',
    '/recipes',
    '/registry',
    '/registry/{model}',
    '/registry/{model}/aliases/{alias}',
    '/registry/{model}/history',
    '/registry/{model}/rollback',
    '/registry/{model}/traffic',
    '/review',
    '/review/{predictionId}',
    '/v1/models',
    '/v1/models/{model}',
    '/v1/models/{model}/metadata',
    '/v1/models/{model}:classify',
    '/v1/models/{model}:predict',
    '/v2',
    '/v2/health/live',
    '/v2/health/ready',
    '/v2/models/{model}',
    '/v2/models/{model}/infer',
    '/v2/models/{model}/ready',
    '/v2/repository/index',
  ]);
  const { requestBody, responses } = document.paths['/jobs/train'].post;
  expect(requestBody.required).toBe(false);
  expect(responses['202'].headers).toHaveProperty('Location');
  expect(Object.keys(responses['400'].content)).toEqual(['application/problem+json']);
  expect(responses['503'].headers).toHaveProperty('Retry-After');
  expect(Object.keys(document.paths['/health/ready'].get.responses['503'].content)).toEqual([
    'application/json',
  ]);
  expect(Object.keys(document.paths['/datasets/{name}/samples.png'].get.responses['200'].content)).toEqual([
    'image/png',
  ]);
  expect(Object.keys(document.paths['/predict'].post.requestBody.content)).toEqual([
    ...pictureMediaTypes,
    'application/octet-stream',
    'multipart/form-data',
    'application/json',
  ]);
});
