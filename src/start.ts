/** `npm start`: a private Redis, the server and one worker on this machine; the first model; what to try. */
import { setTimeout as delay } from 'node:timers/promises';
import { readConfig } from './config.ts';
import type { TrainJob } from './jobs/contract.ts';
import { type Part, startPart } from './launcher/part.ts';
import { showTraining } from './launcher/progress.ts';
import { type EmbeddedRedis, startRedis } from './launcher/redis.ts';
import { closeOnExit, runEntry } from './lifecycle.ts';
import { createLog } from './log.ts';
import { messageOf, TrainyardError } from './model/errors.ts';

const requestTimeoutMs = 5000;
const readyWithinMs = 30_000;
const lookEveryMs = 100;
const stopWithinMs = 40_000; // all parts, each with its own limit, one after the other

await runEntry(async () => {
  const config = readConfig();
  // The parts write to the same terminal; unless asked, they speak only of trouble.
  const logLevel = process.env['LOG_LEVEL'] ? config.logLevel : 'warn';
  const stopping = new AbortController();
  let redis: EmbeddedRedis | undefined;
  const parts: Part[] = [];
  const stop = async () => {
    stopping.abort();
    for (const part of parts) await part.stop(); // in the order in which they depend on each other
    await redis?.close();
  };
  const stopAloud = async () => {
    say('stopping: server, worker, Redis');
    await stop();
    say('stopped; "npm start" goes on where this ended');
  };
  closeOnExit(createLog('start', { logLevel }), stopAloud, stopWithinMs);

  try {
    if (config.redisUrl === null) redis = await startRedis(config.dataDir);
    const redisUrl = redis?.url ?? config.redisUrl!;
    const env = { REDIS_URL: redisUrl, DATA_DIR: config.dataDir, LOG_LEVEL: logLevel };
    const server = startPart('server', env);
    const worker = startPart('worker', env);
    parts.push(server, worker);
    const [{ address = '' }] = await Promise.all([server.ready, worker.ready]);
    say(`Trainyard listens on ${address}`);
    await untilReady(address, config.firstModel, stopping.signal);
    await followFirstModel(address, stopping.signal).catch((error: unknown) => {
      stopping.signal.throwIfAborted();
      say(`the first training can't be followed, the service goes on: ${messageOf(error)}`);
    });
    say(thingsToTry(address));
  } catch (error) {
    if (stopping.signal.aborted) return;
    await stop();
    throw error;
  }
});

type Readiness = {
  readonly checks: Record<'redis' | 'worker' | 'model', { readonly ok: boolean; readonly detail: string }>;
};

/** Waits for every part; for a model, or the job that will give one, only where a first one is wanted. */
async function untilReady(address: string, wantsModel: boolean, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  for (;;) {
    const { checks } = await get<Readiness>(`${address}/health/ready`, signal);
    const missing = (['redis', 'worker', ...(wantsModel ? (['model'] as const) : [])] as const).filter(
      (name) => !checks[name].ok,
    );
    if (missing.length === 0) return;
    if (performance.now() > deadline) {
      const lines = missing.map((name) => `${name}: ${checks[name].detail}`).join('; ');
      throw new TrainyardError(
        'NOT_READY',
        `expected all parts within ${readyWithinMs / 1000} s, missing: ${lines}`,
      );
    }
    await delay(lookEveryMs, undefined, { signal });
  }
}

/** Shows the first training, when there is no model yet. */
async function followFirstModel(address: string, signal: AbortSignal): Promise<void> {
  const models = await get<{ data: unknown[] }>(`${address}/models?limit=1`, signal);
  if (models.data.length > 0) return;
  const { data } = await get<{ data: TrainJob[] }>(`${address}/jobs?limit=1`, signal);
  const [job] = data;
  if (!job || job.finishedAt !== null) return;
  const read = () => get<TrainJob>(`${address}/jobs/${job.id}`, signal);
  const ended = await showTraining(read, process.stdout, signal);
  const last = ended.epochs.at(-1);
  if (ended.status === 'succeeded' && last) {
    await untilServed(address, last.modelVersion, signal);
    say(`model ${last.modelVersion}: ${(100 * last.testAccuracy).toFixed(2)} % of the test images right`);
  } else {
    say(`the first training ended as ${ended.status}: ${ended.error?.message ?? 'no reason given'}`);
  }
}

/** Waits for the swap, a few hundred milliseconds after the version was published. */
async function untilServed(address: string, version: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  while (!(await get<{ served: boolean }>(`${address}/models/${version}`, signal)).served) {
    if (performance.now() > deadline) {
      const message = `expected model ${version} to be served within ${readyWithinMs / 1000} s; LOG_LEVEL=info tells more`;
      throw new TrainyardError('NOT_SERVED', message);
    }
    await delay(lookEveryMs, undefined, { signal });
  }
}

/**
 * Reads until there is an answer. The server being started again, and Redis being away, are said by
 * those that notice; the launcher waits.
 */
async function get<T>(url: string, signal: AbortSignal): Promise<T> {
  for (;;) {
    const response = await fetchWithin(url, signal).catch(() => null);
    if (response?.ok || response?.headers.get('content-type')?.startsWith('application/json')) {
      return (await response.json()) as T; // /health/ready has its say with a 503
    }
    if (response && response.status !== 503)
      throw new Error(`expected 200 from ${url}, got ${response.status}: ${await response.text()}`);
    await delay(lookEveryMs, undefined, { signal });
  }
}

function fetchWithin(url: string, signal: AbortSignal): Promise<Response> {
  return fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]) });
}

function thingsToTry(address: string): string {
  return `
Try it:
  curl -s ${address}/datasets/mnist/test/0.png -o digit.png
  curl -s ${address}/predict -H 'content-type: image/png' --data-binary @digit.png
  curl -s -X POST ${address}/jobs/train -H 'content-type: application/json' -d '{"recipe":"article"}'
  curl -s ${address}/jobs

Ctrl-C stops everything.`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
