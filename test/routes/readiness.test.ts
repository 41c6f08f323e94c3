/** GET /health/ready while parts are broken: it answers before the deadline and names each of them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Fastify from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { describe, expect, it } from 'vitest';
import type { JobQueue, QueueHealth } from '../../src/jobs/producer/queue.ts';
import { Corrections } from '../../src/model/corrections/corrections.ts';
import type { ServedModel } from '../../src/model/serving/messages.ts';
import type { Predictor } from '../../src/model/serving/predictor.ts';
import type { ModelStore } from '../../src/model/store/store.ts';
import { healthRoutes } from '../../src/routes/health.ts';
import { temporaryDirectory } from '../temporary.ts';
import { noPredictor } from './no-predictor.ts';

const well: QueueHealth = {
  workers: [{ device: 'a CPU', trouble: null }],
  evictionPolicy: 'noeviction',
  refusal: null,
};
const refusal = "READONLY You can't write against a read only replica.";
const trouble = "NOPERM this user has no permissions to run the 'evalsha' command";

type Change = {
  health?: Partial<QueueHealth>;
  store?: Partial<ModelStore>;
  predictor?: Partial<Predictor>;
  corrections?: Corrections;
};

async function ask(change: Change) {
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
    predictor: { ...noPredictor, ...change.predictor },
    corrections: change.corrections ?? new Corrections(await temporaryDirectory()),
    deadlineMs: 50,
  });
  const response = await app.inject('/health/ready');
  return { status: response.statusCode, checks: response.json().checks, word: response.json().status };
}

describe('readiness', () => {
  it('names corrections that can not be used, and is ready nevertheless', async () => {
    const dataDir = await temporaryDirectory();
    await writeFile(join(dataDir, 'corrections'), 'no directory');
    const model = { model: () => ({ version: 1 }), engine: () => ({ device: 'a CPU' }) };
    const predictor = model as unknown as Partial<Predictor>;
    const { status, word, checks } = await ask({ predictor, corrections: new Corrections(dataDir) });
    expect([status, word]).toEqual([200, 'ready']);
    expect(checks.corrections).toEqual({
      ok: false,
      detail: expect.stringMatching(/corrections, got: .*; correct its owner or mode, or move away/),
    });
    expect((await ask({ predictor })).checks.corrections).toEqual({ ok: true, detail: '0 corrections' });
  });

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

  it('is ready with several models none of which is the default', async () => {
    const champions: Record<string, ServedModel> = {
      letters: { name: 'letters', version: 4, jobId: 'job-1', epoch: 1, testAccuracy: 0.9 },
      signs: { name: 'signs', version: 5, jobId: 'job-2', epoch: 1, testAccuracy: 0.9 },
    };
    const serving = Object.fromEntries(
      Object.entries(champions).map(([name, { version }]) => [
        name,
        { champion: version, aliases: { champion: version }, traffic: null, revision: 1 },
      ]),
    );
    const predictor: Partial<Predictor> = {
      model: (name) => (name === undefined ? null : champions[name]!),
      serving: () => serving,
    };
    const { status, checks } = await ask({ predictor });
    expect(checks.model).toEqual({
      ok: true,
      detail: expect.stringContaining('version 4 of letters, version 5 of signs'),
    });
    expect(status).toBe(200);
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
