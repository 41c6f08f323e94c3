import { type Exchange, invalid, picture } from './exchange.ts';

const device = 'TensorFlow 2.21.0, CPU, 2 threads';
const checks = {
  redis: { ok: true, detail: 'answers; eviction policy noeviction' },
  worker: { ok: true, detail: `1 connected, training on ${device}` },
  model: { ok: true, detail: 'version 1 on TensorFlow 2.21.0, CPU, 1 thread' },
  store: { ok: true, detail: '1 version' },
  corrections: { ok: true, detail: '12 corrections' },
};
const noWorker = { ok: false, detail: 'none connected; start one' };

const scrape = `# HELP trainyard_model_version Version of the model that answers; 0: none
# TYPE trainyard_model_version gauge
trainyard_model_version 1
# HELP trainyard_redis_up 1 where Redis answers, else 0
# TYPE trainyard_redis_up gauge
trainyard_redis_up 1
`;

const mnist = { name: 'mnist' };
const type = 'image/png';

export const serviceExamples: Record<string, readonly Exchange[]> = {
  drawSamples: [
    {
      summary: 'Nine of them',
      parameters: { ...mnist, seed: '1' },
      status: 200,
      type,
      answer: '/datasets/mnist/samples.png',
    },
    {
      summary: 'No number',
      parameters: { ...mnist, seed: 'mine' },
      status: 400,
      answer: invalid('/datasets/mnist/samples.png', 'querystring', 'seed', 'expected a number, got "mine"'),
    },
  ],
  getTestImage: [
    {
      summary: 'The first, a seven',
      parameters: { ...mnist, index: '0' },
      status: 200,
      type,
      answer: picture,
    },
    {
      summary: 'One too many',
      parameters: { ...mnist, index: '10000' },
      status: 400,
      answer: invalid('/datasets/mnist/test/10000.png', 'params', 'index', 'expected 0 to 9999, got "10000"'),
    },
  ],
  getLiveness: [{ summary: 'It answers', status: 200, answer: { status: 'live' } }],
  getReadiness: [
    { summary: 'All there', status: 200, answer: { status: 'ready', checks } },
    {
      summary: 'No worker',
      status: 503,
      answer: { status: 'notReady', checks: { ...checks, worker: noWorker } },
    },
  ],
  getMetrics: [{ summary: 'Two of many', status: 200, type: 'text/plain', answer: scrape }],
};
