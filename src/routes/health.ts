/** Liveness (the process answers) and readiness (whether each part works). */
import { once } from 'node:events';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { JobQueue, QueueHealth } from '../jobs/producer/queue.ts';
import { messageOf } from '../lib/errors.ts';
import type { Corrections } from '../model/corrections/corrections.ts';
import type { Predictor } from '../model/serving/predictor.ts';
import type { ModelStore } from '../model/store/store.ts';

const checkSchema = z.object({ ok: z.boolean(), detail: z.string() });
type Check = z.output<typeof checkSchema>;

const readinessSchema = z
  .object({
    status: z.enum(['ready', 'notReady']),
    checks: z.object({
      redis: checkSchema,
      worker: checkSchema,
      model: checkSchema,
      store: checkSchema,
      corrections: checkSchema.describe('Does not count: predictions and trainings go on without them'),
    }),
  })
  .meta({ id: 'Readiness' });

export type HealthDependencies = {
  queue: JobQueue;
  store: Pick<ModelStore, 'quarantined' | 'versions'>;
  predictor: Pick<Predictor, 'model' | 'serving' | 'engine'>;
  corrections: Pick<Corrections, 'check'>;
  /** How long a check may take; the default of 900 ms lets every probe end before its caller gives up at a second. */
  deadlineMs?: number;
};

const quarantinedNamed = 3; // how many versions in quarantine are named, newest first

export const healthRoutes: FastifyPluginAsyncZod<HealthDependencies> = async (app, parts) => {
  const { deadlineMs = 900 } = parts;
  app.get('/health/live', {
    config: { anonymous: true },
    logLevel: 'warn', // called every few seconds
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
    logLevel: 'warn', // called every few seconds
    schema: {
      tags: ['health'],
      operationId: 'getReadiness',
      summary:
        'Redis takes writes, a worker is there, a model is served or being trained, the store can be read',
      response: { 200: readinessSchema, 503: readinessSchema },
    },
    handler: async (_request, reply) => {
      const [[redis, worker], model, store, corrections] = await Promise.all([
        checkQueue(parts.queue),
        inTime(checkModel(parts), deadlineMs),
        inTime(checkStore(parts.store), deadlineMs),
        inTime(checkCorrections(parts.corrections), deadlineMs),
      ]);
      const needed = { redis, worker, model, store };
      const ready = Object.values(needed).every(({ ok }) => ok);
      const status = ready ? ('ready' as const) : ('notReady' as const);
      return reply.code(ready ? 200 : 503).send({ status, checks: { ...needed, corrections } });
    },
  });
};

/** The result of a check; not ok when the check fails or takes too long. */
async function inTime(check: Promise<Check>, deadlineMs: number): Promise<Check> {
  const late = once(AbortSignal.timeout(deadlineMs), 'abort').then(() => {
    throw new Error(`no answer in ${deadlineMs} ms`);
  });
  return Promise.race([check, late]).catch((error: unknown) => ({ ok: false, detail: messageOf(error) }));
}

async function checkQueue(queue: JobQueue): Promise<[redis: Check, worker: Check]> {
  try {
    const health = await queue.health();
    return [checkRedis(health), checkWorkers(health)];
  } catch (error) {
    return [
      { ok: false, detail: messageOf(error) },
      { ok: false, detail: 'not known without Redis' },
    ];
  }
}

function checkRedis({ refusal, evictionPolicy }: QueueHealth): Check {
  if (refusal !== null) return { ok: false, detail: `answers, and refuses what it is asked: ${refusal}` };
  if (evictionPolicy === null) {
    const advice = 'the Redis user may not run INFO; grant it +info to have the eviction policy checked';
    return { ok: true, detail: `answers; ${advice}` };
  }
  const keeps = evictionPolicy === 'noeviction';
  const advice = keeps ? '' : ', which may drop jobs: set maxmemory-policy noeviction';
  return { ok: keeps, detail: `answers; eviction policy ${evictionPolicy}${advice}` };
}

function checkWorkers({ workers }: QueueHealth): Check {
  if (workers.length === 0) return { ok: false, detail: 'none connected; start one' };
  const devices = [...new Set(workers.map(({ device }) => device))].join('; ');
  const troubles = workers.map(({ trouble }) => trouble).filter((trouble) => trouble !== null);
  const ok = troubles.length < workers.length;
  const trouble =
    troubles[0] === undefined ? '' : `; ${troubles.length} in trouble with Redis: ${troubles[0]}`;
  return { ok, detail: `${workers.length} connected, training on ${devices}${trouble}` };
}

/** Without the store, no new version is served or published. */
async function checkStore(store: HealthDependencies['store']): Promise<Check> {
  try {
    const { length } = await store.versions();
    return { ok: true, detail: `${length} version${length === 1 ? '' : 's'}` };
  } catch (error) {
    const detail = `expected to read DATA_DIR/models, got: ${messageOf(error)}; correct its owner or mode`;
    return { ok: false, detail };
  }
}

async function checkCorrections(corrections: HealthDependencies['corrections']): Promise<Check> {
  const count = await corrections.check();
  return { ok: true, detail: `${count} correction${count === 1 ? '' : 's'}` };
}

async function checkModel({
  queue,
  store,
  predictor,
}: Omit<HealthDependencies, 'corrections'>): Promise<Check> {
  const [check, quarantine] = await Promise.all([
    checkServed({ queue, store, predictor }),
    nameQuarantined(store).catch((error: unknown) => `; quarantine not readable: ${messageOf(error)}`),
  ]);
  return { ok: check.ok, detail: check.detail + quarantine };
}

async function checkServed({
  queue,
  store,
  predictor,
}: Omit<HealthDependencies, 'corrections'>): Promise<Check> {
  const [served, engine] = [nameServed(predictor), predictor.engine()];
  if (served) {
    const fallback = engine?.fallback ? ` (${engine.fallback})` : '';
    return { ok: true, detail: `${served} on ${engine?.device}${fallback}` };
  }
  const [newest] = await store.versions().catch(() => []); // checkStore says why
  if (newest !== undefined) return { ok: false, detail: `version ${newest} is being loaded` };
  const isTraining = await hasUnfinishedJob(queue).catch(() => false);
  if (isTraining) return { ok: true, detail: 'none yet; a training job is queued or running' };
  return { ok: false, detail: 'none, and no training under way; POST /jobs/train' };
}

/** The default champion or, where no model is the default, each one's; null before the first champion. */
function nameServed(predictor: HealthDependencies['predictor']): string | null {
  const model = predictor.model();
  if (model) return `version ${model.version}`;
  const champions = Object.keys(predictor.serving()).flatMap((name) => predictor.model(name) ?? []);
  return champions.map(({ name, version }) => `version ${version} of ${name}`).join(', ') || null;
}

/** Empty when there are none. */
async function nameQuarantined(store: HealthDependencies['store']): Promise<string> {
  const quarantined = await store.quarantined(quarantinedNamed + 1);
  if (quarantined.length === 0) return '';
  const named = quarantined.slice(0, quarantinedNamed).map(({ reason }) => reason);
  if (quarantined.length > quarantinedNamed) named.push('and older ones');
  return `; in quarantine: ${named.join(', ')}`;
}

async function hasUnfinishedJob(queue: JobQueue): Promise<boolean> {
  const statuses = ['running', 'queued'] as const;
  const lists = await Promise.all(statuses.map((status) => queue.list({ status, limit: 1 })));
  return lists.some(({ data }) => data.length > 0);
}
