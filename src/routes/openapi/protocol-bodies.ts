/** Bodies of the standard protocols, which their handlers read: a schema of the route would validate the bytes. */
import type { OpenAPIV3_1 as OpenApi } from 'openapi-types';

type Schema = OpenApi.SchemaObject;

const size: Schema = { type: 'integer', minimum: 0, description: 'Of the data, as bytes after the JSON' };
const tensorInput: Schema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    datatype: { type: 'string', enum: ['FP32', 'UINT8', 'BYTES'] },
    shape: { type: 'array', items: { type: 'integer' }, description: '[N, 28, 28, 1]; of BYTES [N]' },
    parameters: { type: 'object', properties: { binary_data_size: size } },
    data: {
      type: 'array',
      items: {},
      description: 'FP32: 0 … 1. UINT8: 0 … 255. BYTES: pictures as POST /predict takes them, in base64',
    },
  },
  required: ['name', 'datatype', 'shape'],
};
const wantedOutput: Schema = {
  type: 'object',
  properties: {
    name: { type: 'string', enum: ['probabilities', 'label', 'verdict'] },
    parameters: {
      type: 'object',
      properties: { binary_data: { type: 'boolean' }, classification: { type: 'integer', minimum: 1 } },
    },
  },
  required: ['name'],
};

export const inferRequestBody: OpenApi.RequestBodyObject = {
  required: true,
  description:
    'JSON; where an input has `binary_data_size`, its bytes follow, and the header `Inference-Header-Content-Length` says how many bytes the JSON has. Up to 256 images as numbers, or 16 pictures.',
  content: {
    'application/json': {
      schema: {
        type: 'object',
        properties: {
          id: { type: 'string' },
          parameters: { type: 'object', properties: { binary_data_output: { type: 'boolean' } } },
          inputs: { type: 'array', items: tensorInput, minItems: 1, maxItems: 1 },
          outputs: { type: 'array', items: wantedOutput },
        },
        required: ['inputs'],
      },
    },
  },
};

export const indexRequestBody: OpenApi.RequestBodyObject = {
  required: false,
  content: {
    'application/json': { schema: { type: 'object', properties: { ready: { type: 'boolean' } } } },
  },
};

const values: Schema = {
  type: 'array',
  items: {},
  description:
    'Images: 28 × 28 numbers of 0 … 1, nested or not, or `{"b64": "..."}`; each may stand in an object with one name',
};

export const rowsRequestBody: OpenApi.RequestBodyObject = {
  required: true,
  description: 'Either `instances` or `inputs`. Up to 256 images as numbers, or 16 pictures.',
  content: {
    'application/json': {
      schema: {
        type: 'object',
        properties: {
          signature_name: { type: 'string' },
          instances: values,
          inputs: { description: 'Likewise; or an object with one name, which has the images' },
        },
      },
    },
  },
};

export const classifyRequestBody: OpenApi.RequestBodyObject = {
  required: true,
  content: {
    'application/json': {
      schema: {
        type: 'object',
        properties: {
          signature_name: { type: 'string' },
          examples: {
            type: 'array',
            items: { type: 'object' },
            description: 'Each with one input: the image',
          },
        },
        required: ['examples'],
      },
    },
  },
};
