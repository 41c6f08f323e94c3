import { programVersion } from '../../lib/program-version.ts';
import type { Problem } from '../http/problem.ts';
import { type Exchange, firstTestImage, invalid, json, problem } from './exchange.ts';

const tensorShape = [-1, 28, 28, 1];
const probabilities = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0];

/** A problem of a protocol, which has its text once more. */
const refused = (content: Problem) => ({ ...content, error: content.detail });
const refusal = (content: Parameters<typeof problem>[0]) => refused(problem(content));

const unknownModel = (path: string) =>
  refusal({
    title: 'Not Found',
    status: 404,
    code: 'MODEL_UNKNOWN',
    detail: 'expected model to be one of mnist, got letters',
    instance: path,
  });

const inputOf = (change: object) => ({ name: 'image', datatype: 'BYTES', shape: [1], ...change });

export const protocolExamples: Record<string, readonly Exchange[]> = {
  getInferServer: [
    {
      summary: 'Its extensions',
      status: 200,
      answer: {
        name: 'trainyard',
        version: programVersion,
        extensions: ['binary_tensor_data', 'classification'],
      },
    },
  ],
  getInferLiveness: [{ summary: 'The process answers', status: 200, answer: { live: true } }],
  getInferReadiness: [{ summary: 'A model answers', status: 200, answer: { ready: true } }],
  listInferModels: [
    {
      summary: 'One model',
      body: json({ ready: true }),
      status: 200,
      answer: [{ name: 'mnist', version: '2', state: 'READY', reason: '' }],
    },
    {
      summary: 'Not a flag',
      body: json({ ready: 'yes' }),
      status: 400,
      answer: refused(invalid('/v2/repository/index', 'body', 'ready', 'expected true or false, got "yes"')),
    },
  ],
  getInferModel: [
    {
      summary: 'Inputs and outputs',
      parameters: { model: 'mnist' },
      status: 200,
      answer: {
        name: 'mnist',
        versions: ['2'],
        platform: 'trainyard_tfjs',
        inputs: [{ name: 'image', datatype: 'FP32', shape: tensorShape }],
        outputs: [
          { name: 'probabilities', datatype: 'FP32', shape: [-1, 10] },
          { name: 'label', datatype: 'BYTES', shape: [-1] },
          { name: 'verdict', datatype: 'BYTES', shape: [-1] },
        ],
      },
    },
    {
      summary: 'Unknown model',
      parameters: { model: 'letters' },
      status: 404,
      answer: unknownModel('/v2/models/letters'),
    },
  ],
  getInferModelReadiness: [
    {
      summary: 'It answers',
      parameters: { model: 'mnist' },
      status: 200,
      answer: { name: 'mnist', ready: true },
    },
    {
      summary: 'Unknown model',
      parameters: { model: 'letters' },
      status: 404,
      answer: unknownModel('/v2/models/letters/ready'),
    },
  ],
  infer: [
    {
      summary: 'A picture in base64',
      parameters: { model: 'mnist' },
      body: json({ id: '7', inputs: [inputOf({ data: [firstTestImage] })] }),
      status: 200,
      answer: {
        model_name: 'mnist',
        model_version: '2',
        id: '7',
        outputs: [
          { name: 'probabilities', datatype: 'FP32', shape: [1, 10], data: probabilities },
          { name: 'label', datatype: 'BYTES', shape: [1], data: ['7'] },
          { name: 'verdict', datatype: 'BYTES', shape: [1], data: ['known'] },
        ],
      },
    },
    {
      summary: 'A wrong shape',
      parameters: { model: 'mnist' },
      body: json({ inputs: [inputOf({ datatype: 'FP32', shape: [1, 32, 32, 1], data: [0.5] })] }),
      status: 400,
      answer: refusal({
        title: 'Bad Request',
        status: 400,
        code: 'VALIDATION_FAILED',
        detail:
          'expected the shape [N, 28, 28, 1] or [N, 784] or [N, 28, 28] for FP32, N from 1 to 256, got [1, 32, 32, 1]',
        instance: '/v2/models/mnist/infer',
      }),
    },
  ],
  listServingModels: [{ summary: 'One model answers', status: 200, answer: { models: ['mnist'] } }],
  getServingStatus: [
    {
      summary: 'One version answers',
      parameters: { model: 'mnist' },
      status: 200,
      answer: {
        name: 'mnist',
        ready: true,
        model_version_status: [
          { version: '2', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } },
        ],
      },
    },
    {
      summary: 'Unknown model',
      parameters: { model: 'letters' },
      status: 404,
      answer: unknownModel('/v1/models/letters'),
    },
  ],
  getServingMetadata: [
    {
      summary: 'Its signature',
      parameters: { model: 'mnist' },
      status: 200,
      answer: {
        model_spec: { name: 'mnist', signature_name: '', version: '2' },
        metadata: {
          signature_def: {
            signature_def: { serving_default: { method_name: 'tensorflow/serving/predict' } },
          },
        },
      },
    },
    {
      summary: 'Unknown model',
      parameters: { model: 'letters' },
      status: 404,
      answer: unknownModel('/v1/models/letters/metadata'),
    },
  ],
  servingPredict: [
    {
      summary: 'A picture in a row',
      parameters: { model: 'mnist' },
      body: json({ instances: [{ b64: firstTestImage }] }),
      status: 200,
      answer: { predictions: [{ probabilities, label: '7', verdict: 'known' }] },
    },
    {
      summary: 'A picture in a column',
      parameters: { model: 'mnist' },
      body: json({ inputs: { image: [{ b64: firstTestImage }] } }),
      status: 200,
      answer: { outputs: { probabilities: [probabilities], label: ['7'], verdict: ['known'] } },
    },
    {
      summary: 'Numbers are missing',
      parameters: { model: 'mnist' },
      body: json({ instances: [[0.5]] }),
      status: 400,
      answer: refusal({
        title: 'Bad Request',
        status: 400,
        code: 'VALIDATION_FAILED',
        detail: 'expected 784 numbers (1 × 28 × 28 × 1), got 1, at 0 of instances',
        instance: '/v1/models/mnist:predict',
      }),
    },
  ],
  servingClassify: [
    {
      summary: 'A picture',
      parameters: { model: 'mnist' },
      body: json({ examples: [{ image: { b64: firstTestImage } }] }),
      status: 200,
      answer: { results: [probabilities.map((probability, i) => [String(i), probability])] },
    },
    {
      summary: 'No example',
      parameters: { model: 'mnist' },
      body: json({ examples: [] }),
      status: 400,
      answer: refusal({
        title: 'Bad Request',
        status: 400,
        code: 'VALIDATION_FAILED',
        detail: 'expected from 1 to 256 images in examples, got 0',
        instance: '/v1/models/mnist:classify',
      }),
    },
  ],
};
