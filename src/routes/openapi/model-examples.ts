import { type Exchange, firstTestImage, invalid, json, picture, problem } from './exchange.ts';
import { exampleJobId } from './job-examples.ts';

/** A PNG of one pixel, black. */
const blank = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==';

const prediction = {
  label: '7',
  digit: 7,
  confidence: 0.9282,
  probabilities: [0.0065, 0.0092, 0.0057, 0.0071, 0.0102, 0.0062, 0.0104, 0.9282, 0.0107, 0.0058],
  verdict: 'known',
  score: 0.9981,
  calibrated: true,
  warnings: [],
  model: {
    name: 'mnist',
    alias: 'champion',
    version: 2,
    jobId: exampleJobId,
    epoch: 1,
    testAccuracy: 0.9919,
  },
  timings: { decodeMs: 0.42, queueMs: 0.05, inferMs: 1.23 },
};

const linePrediction = {
  text: '7',
  characters: [
    {
      label: '7',
      confidence: 0.9982,
      verdict: 'known',
      score: 0.9981,
      box: { x: 6, y: 7, width: 16, height: 20 },
    },
  ],
  verdict: 'known',
  calibrated: true,
  warnings: [],
  model: prediction.model,
  timings: prediction.timings,
};

const checksum = (digit: string, bytes: number) => ({ sha256: digit.repeat(64), bytes });

const model = {
  model: 'mnist',
  jobId: exampleJobId,
  epoch: 1,
  epochs: 1,
  recipe: 'fast',
  seed: 7,
  request: { recipe: 'fast', dataset: 'mnist', epochs: 1, batchSize: 64, learningRate: 0.0035, seed: 7 },
  test: { set: '1a07'.repeat(16), images: 10_000 },
  dataset: { name: 'mnist', sha256: { 'data/train-images-idx3-ubyte': 'ba89'.repeat(16) } },
  engine: { name: 'tensorflow', device: 'TensorFlow 2.21.0, CPU, 2 threads', gpu: false },
  gitCommit: '0123456789abcdef0123456789abcdef01234567',
  metrics: { trainLoss: 0.7211, testLoss: 0.1364, testAccuracy: 0.9919 },
  calibration: {
    temperature: 0.46,
    threshold: 0.6132,
    ece: 0.0031,
    falseAlarms: 0.005,
    images: 2000,
    method: 'temperature scaling; energy score with a threshold for at most 0.5 % false alarms',
  },
  format: 1,
  version: 1,
  createdAt: '2026-11-25T13:24:53.346Z',
  network: {
    name: 'article',
    layers: [
      { kind: 'convolution', filters: 16, kernelSize: 5, pool: 2 },
      { kind: 'convolution', filters: 32, kernelSize: 5 },
      { kind: 'convolution', filters: 32, kernelSize: 5, pool: 2 },
      { kind: 'convolution', filters: 64, kernelSize: 5 },
      { kind: 'dense', units: 10 },
    ],
  },
  parameters: 121_514,
  input: 'float32 [N, 28, 28, 1]: grey 0 … 1, white ink on black, the digit centred by mass as in MNIST',
  files: {
    'model.json': checksum('7', 4589),
    'weights.bin': checksum('3', 486_056),
    'evaluation.json': checksum('b', 5757),
    'correct.bits': checksum('c', 1250),
  },
  sha256: 'd'.repeat(64),
  labels: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  aliases: ['champion'],
  served: true,
};

const evaluation = {
  version: 1,
  dataset: 'mnist',
  images: 10_000,
  accuracy: 0.9919,
  confusion: [
    [977, 0, 0, 0, 0, 0, 2, 1, 0, 0],
    [0, 1130, 2, 0, 0, 0, 0, 2, 1, 0],
    [1, 0, 1027, 0, 0, 0, 0, 3, 1, 0],
    [0, 0, 0, 1006, 0, 2, 0, 2, 0, 0],
    [0, 0, 0, 0, 976, 0, 1, 0, 1, 4],
    [2, 0, 0, 8, 0, 880, 1, 1, 0, 0],
    [4, 2, 0, 1, 1, 0, 950, 0, 0, 0],
    [0, 2, 5, 0, 0, 0, 0, 1018, 1, 2],
    [3, 0, 2, 1, 0, 0, 0, 1, 964, 3],
    [0, 1, 0, 5, 8, 0, 0, 3, 1, 991],
  ],
  misread: [
    { index: 740, label: 4, digit: 9, confidence: 0.8339 },
    { index: 9729, label: 5, digit: 6, confidence: 0.7875 },
    { index: 5937, label: 5, digit: 3, confidence: 0.7798 },
  ],
};

const neverWas = (path: string, others: Record<string, string> = {}): Exchange => ({
  summary: 'A version that never was',
  parameters: { version: '999999', ...others },
  status: 404,
  answer: problem({
    title: 'Not Found',
    status: 404,
    code: 'MODEL_NOT_FOUND',
    detail: 'expected a version in GET /models, got 999999',
    instance: path,
  }),
});

export const modelExamples: Record<string, readonly Exchange[]> = {
  predict: [
    {
      summary: 'A PNG as it is',
      body: { type: 'image/png', at: picture },
      status: 200,
      answer: prediction,
    },
    {
      summary: 'A PNG in base64',
      body: json({ image: firstTestImage }),
      status: 200,
      answer: prediction,
    },
    {
      summary: 'A PNG in base64, and what the network saw of it',
      parameters: { include: 'input' },
      body: json({ image: firstTestImage }),
      status: 200,
      answer: { ...prediction, input: firstTestImage }, // an image of the data set, as it is
    },
    {
      summary: 'A PNG in base64, not to be kept for review',
      parameters: { keep: 'false' },
      body: json({ image: firstTestImage }),
      status: 200,
      answer: prediction,
    },
    {
      summary: 'By a certain version, with the two likeliest digits',
      parameters: { version: '1', top: '2' },
      body: json({ image: firstTestImage }),
      status: 200,
      answer: {
        ...prediction,
        model: { ...prediction.model, version: 1, alias: null },
        top: [
          { label: '7', digit: 7, probability: 0.9282 },
          { label: '8', digit: 8, probability: 0.0107 },
        ],
      },
    },
    {
      summary: 'All characters of a line',
      parameters: { read: 'line' },
      body: { type: 'image/png', at: picture },
      status: 200,
      answer: linePrediction,
    },
    {
      summary: 'A line, and what only the answer to one character has',
      parameters: { read: 'line', top: '2' },
      body: { type: 'image/png', at: picture },
      status: 400,
      answer: problem({
        title: 'Bad Request',
        status: 400,
        code: 'VALIDATION_FAILED',
        detail: 'expected no top with read=line, which has an answer for each character; leave it out',
        instance: '/predict',
      }),
    },
    {
      summary: 'By a version that never was',
      parameters: { version: '999999' },
      body: json({ image: firstTestImage }),
      status: 404,
      answer: problem({
        title: 'Not Found',
        status: 404,
        code: 'MODEL_NOT_FOUND',
        detail: 'expected a version in GET /models, got 999999',
        instance: '/predict',
      }),
    },
    {
      summary: 'Nothing drawn',
      body: json({ image: blank }),
      status: 422,
      answer: problem({
        title: 'Unprocessable Entity',
        status: 422,
        code: 'IMAGE_NO_INK',
        detail:
          'expected ink that stands out from its background, got 1×1 pixels of nearly one tone; draw it stronger',
        instance: '/predict',
      }),
    },
    {
      summary: 'No base64',
      body: json({ image: '(a seven)' }),
      status: 400,
      answer: invalid(
        '/predict',
        'body',
        'image',
        'expected {"image": "<base64 of a PNG, JPEG, WebP, AVIF, GIF or TIFF>"}, got "(a seven)"',
      ),
    },
  ],
  listModels: [
    {
      summary: 'The newest',
      parameters: { limit: '1' },
      status: 200,
      answer: { data: [model], hasMore: false },
    },
    {
      summary: 'A page of none',
      parameters: { limit: '0' },
      status: 400,
      answer: invalid('/models', 'querystring', 'limit', 'expected at least 1, got "0"'),
    },
  ],
  getModel: [
    { summary: 'The first version', parameters: { version: '1' }, status: 200, answer: model },
    neverWas('/models/999999'),
  ],
  compareModels: [
    {
      summary: 'Two versions that differ in three images',
      parameters: { version: '2', other: '1' },
      status: 200,
      answer: {
        version: 2,
        other: 1,
        images: 10_000,
        accuracy: 0.992,
        accuracyOther: 0.9919,
        onlyVersion: [740, 9729],
        onlyOther: [5937],
        p: 1,
      },
    },
    neverWas('/models/999999/comparison/999999', { other: '999999' }),
  ],
  getEvaluation: [
    {
      summary: 'The first version; of its 81 mistakes, the three surest',
      parameters: { version: '1' },
      status: 200,
      answer: evaluation,
    },
    neverWas('/models/999999/evaluation'),
  ],
  exportModel: [
    {
      summary: 'The first version, for ONNX Runtime',
      parameters: { version: '1', format: 'onnx' },
      status: 200,
      type: 'application/octet-stream',
      answer: '/models/1/export?format=onnx',
    },
    {
      summary: 'A format that is not there',
      parameters: { version: '1', format: 'pickle' },
      status: 400,
      answer: invalid(
        '/models/1/export',
        'querystring',
        'format',
        'expected one of "onnx", "safetensors", "tfjs", "card", got "pickle"',
      ),
    },
    neverWas('/models/999999/export', { format: 'onnx' }),
  ],
};
