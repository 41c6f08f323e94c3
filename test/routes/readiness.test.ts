/** GET /health/ready while parts are broken: it answers before the deadline and names each of them. */
import Fastify from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { describe, expect, it } from 'vitest';
import type { JobQueue, QueueHealth } from '../../src/jobs/producer/queue.ts';
import type { ModelStore } from '../../src/model/store/store.ts';
import { healthRoutes } from '../../src/routes/health.ts';
import { noPredictor } from './quiet-app.ts';

const well: QueueHealth = {
  workers: [{ device: 'a CPU', trouble: null }],
  evictionPolicy: 'noeviction',
  refusal: null,
};
const refusal = "READONLY You can't write against a read only replica.";
const trouble = "NOPERM this user has no permissions to run the 'evalsha' command";

async function ask(change: { health?: Partial<QueueHealth>; store?: Partial<ModelStore> }) {
  const app = Fastify();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  const queue: Partial<JobQueue> = {
    health: async () => ({ ...well, ...change.health }),
    list: async () => ({ data: [], hasMore: false }),
  };
  const store: Partial<ModelStore> = {
    versions: async () => [1],
    quarantined: async () => [],
    ...change.store,
  };
  await app.register(healthRoutes, {
    queue: queue as JobQueue,
    store: store as ModelStore,
    predictor: noPredictor,
    deadlineMs: 50,
  });
  const response = await app.inject('/health/ready');
  return { status: response.statusCode, checks: response.json().checks };
}

describe('readiness', () => {
  it.each([
    ['redis', { health: { refusal } }, refusal],
    ['redis', { health: { evictionPolicy: 'allkeys-lru' } }, 'set maxmemory-policy noeviction'],
    ['worker', { health: { workers: [] } }, 'none connected'],
    ['worker', { health: { workers: [{ device: 'a CPU', trouble }] } }, trouble],
    [
      'store',
      { store: { versions: () => Promise.reject(new Error('EACCES: permission denied')) } },
      'EACCES',
    ],
    ['store', { store: { versions: () => new Promise<never>(() => {}) } }, 'no answer in 50 ms'],
    ['model', { store: { quarantined: () => new Promise<never>(() => {}) } }, 'no answer in 50 ms'],
  ] as const)('names the %s when it is broken (%j)', async (part, change, detail) => {
    const { status, checks } = await ask(change);
    expect(status).toBe(503);
    expect(checks[part]).toEqual({ ok: false, detail: expect.stringContaining(detail) });
  });

  it('names a missing permission and stays ready', async () => {
    const { checks } = await ask({
      health: { evictionPolicy: null },
    });
    expect(checks.redis).toEqual({ ok: true, detail: expect.stringContaining('grant it +info') });
  });

  it('is ready while one of several workers is in trouble, and names the trouble', async () => {
    const { checks } = await ask({ health: { workers: [...well.workers, { device: 'a GPU', trouble }] } });
    expect(checks.worker).toEqual({
      ok: true,
      detail: expect.stringContaining(`1 in trouble with Redis: ${trouble}`),
    });
  });
});
