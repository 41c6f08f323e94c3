import type { Exchange } from './exchange.ts';

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

export const serviceExamples: Record<string, readonly Exchange[]> = {
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
