/** Liveness (the process answers) and readiness (each part, and which one is missing). */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { JobQueue } from '../jobs/queue.ts';
import { messageOf } from '../model/errors.ts';
import type { Predictor } from '../model/predictor.ts';
import type { ModelStore } from '../model/store.ts';

const checkSchema = z.object({ ok: z.boolean(), detail: z.string() });
type Check = z.output<typeof checkSchema>;

const readinessSchema = z
  .object({
    status: z.enum(['ready', 'notReady']),
    checks: z.object({ redis: checkSchema, worker: checkSchema, model: checkSchema }),
  })
  .meta({ id: 'Readiness' });

export type HealthDependencies = {
  queue: JobQueue;
  store: Pick<ModelStore, 'quarantined' | 'versions'>;
  predictor: Pick<Predictor, 'model' | 'engine'>;
};

const quarantinedNamed = 3; // versions, the newest ones; the others are in DATA_DIR/models/quarantine

export const healthRoutes: FastifyPluginAsyncZod<HealthDependencies> = async (app, parts) => {
  app.get('/health/live', {
    config: { anonymous: true },
    logLevel: 'warn', // asked every few seconds
    schema: {
      tags: ['health'],
      operationId: 'getLiveness',
      summary: 'The process answers',
      response: { 200: z.object({ status: z.literal('live') }) },
    },
    handler: async () => ({ status: 'live' as const }),
  });

  app.get('/health/ready', {
    config: { anonymous: true },
    logLevel: 'warn', // asked every few seconds
    schema: {
      tags: ['health'],
      operationId: 'getReadiness',
      summary: 'Redis answers, a worker is there, a model is served or being trained',
      response: { 200: readinessSchema, 503: readinessSchema },
    },
    handler: async (_request, reply) => {
      const [{ redis, worker }, model] = await Promise.all([checkQueue(parts.queue), checkModel(parts)]);
      const checks = { redis, worker, model };
      const ready = Object.values(checks).every(({ ok }) => ok);
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'notReady', checks });
    },
  });
};

async function checkQueue(queue: JobQueue): Promise<{ redis: Check; worker: Check }> {
  try {
    const { workers, devices, evictionPolicy } = await queue.health();
    const on = devices.length > 0 ? `, training on ${[...new Set(devices)].join('; ')}` : '';
    const worker = {
      ok: workers > 0,
      detail: workers > 0 ? `${workers} connected${on}` : 'none connected; start one',
    };
    const keeps = evictionPolicy === 'noeviction';
    const advice = keeps ? '' : ', which may drop jobs: set maxmemory-policy noeviction';
    return { redis: { ok: keeps, detail: `answers; eviction policy ${evictionPolicy}${advice}` }, worker };
  } catch (error) {
    return {
      redis: { ok: false, detail: messageOf(error) },
      worker: { ok: false, detail: 'not known without Redis' },
    };
  }
}

async function checkModel({ queue, store, predictor }: HealthDependencies): Promise<Check> {
  const [check, quarantine] = await Promise.all([
    checkServed({ queue, store, predictor }),
    nameQuarantined(store).catch((error: unknown) => `; quarantine not readable: ${messageOf(error)}`),
  ]);
  return { ok: check.ok, detail: check.detail + quarantine };
}

async function checkServed({ queue, store, predictor }: HealthDependencies): Promise<Check> {
  const [model, engine] = [predictor.model(), predictor.engine()];
  if (model) {
    const fallback = engine?.fallback ? ` (${engine.fallback})` : '';
    return { ok: true, detail: `version ${model.version} on ${engine?.device}${fallback}` };
  }
  const [newest] = await store.versions();
  if (newest !== undefined) return { ok: false, detail: `version ${newest} is being loaded` };
  const training = await countUnfinished(queue).catch(() => 0);
  if (training > 0) return { ok: true, detail: 'none yet; a training job is queued or running' };
  return { ok: false, detail: 'none, and no training under way; POST /jobs/train' };
}

/** Empty when there are none. */
async function nameQuarantined(store: HealthDependencies['store']): Promise<string> {
  const quarantined = await store.quarantined(quarantinedNamed + 1);
  if (quarantined.length === 0) return '';
  const named = quarantined.slice(0, quarantinedNamed).map(({ reason }) => reason);
  if (quarantined.length > quarantinedNamed) named.push('and older ones');
  return `; in quarantine: ${named.join(', ')}`;
}

async function countUnfinished(queue: JobQueue): Promise<number> {
  const lists = await Promise.all([
    queue.list({ status: 'running', limit: 1 }),
    queue.list({ status: 'queued', limit: 1 }),
  ]);
  return lists.reduce((sum, { data }) => sum + data.length, 0);
}
