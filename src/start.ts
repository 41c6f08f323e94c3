/** `npm start`: a private Redis, the server and one worker on this machine; the first model; what to try. */
import { setTimeout as delay } from 'node:timers/promises';
import { readListenerConfig } from './config.ts';
import type { TrainJob } from './jobs/contract.ts';
import { type Api, connectApi } from './launcher/api.ts';
import { expectRedis } from './launcher/given-redis.ts';
import { type Part, startPart } from './launcher/part.ts';
import { showTraining } from './launcher/progress.ts';
import { type EmbeddedRedis, startRedis } from './launcher/redis.ts';
import { messageOf, TrainyardError } from './lib/errors.ts';
import { openDataDir } from './lib/files.ts';
import { expectFree } from './lib/listen.ts';
import { ignoresHangup } from './lib/nohup.mjs';
import { closeOnExit, runEntry } from './lifecycle.ts';
import { createLog } from './log.ts';
import { takeOptions } from './options.mjs';

const readyWithinMs = 30_000;
const lookEveryMs = 100;
const stopWithinMs = 40_000; // all parts, each with its own limit, one after the other

await runEntry(async () => {
  const options = takeOptions('start');
  const config = await readListenerConfig(options);
  // The parts write to the same terminal: unless a level is set, they log warnings and errors only.
  const isLevelSet = options.environment['LOG_LEVEL'] || process.env['LOG_LEVEL'];
  const logLevel = isLevelSet ? config.logLevel : 'warn';
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
    await expectFree(config);
    await openDataDir(config.dataDir);
    if (config.redisUrl === null) redis = await startRedis(config.dataDir);
    else await expectRedis(config.redisUrl);
    const redisUrl = redis?.url ?? config.redisUrl!;
    const settings = { REDIS_URL: redisUrl, DATA_DIR: config.dataDir, LOG_LEVEL: logLevel };
    const env = { ...options.environment, ...settings };
    const server = startPart('server', env);
    const worker = startPart('worker', env);
    parts.push(server, worker);
    const [{ address = '' }] = await Promise.all([server.ready, worker.ready]);
    say(`Trainyard listens on ${address}`);
    const api = connectApi(address, config.apiKeys, stopping.signal);
    await untilReady(api, config.firstModel, stopping.signal);
    await followFirstModel(api, stopping.signal).catch((error: unknown) => {
      stopping.signal.throwIfAborted();
      say(`the first training can't be followed, the service goes on: ${messageOf(error)}`);
    });
    say(thingsToTry(address, config.apiKeys.length));
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
async function untilReady(api: Api, wantsModel: boolean, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  for (;;) {
    const { checks } = await api.get<Readiness>('/health/ready');
    const missing = (['redis', 'worker', ...(wantsModel ? (['model'] as const) : [])] as const).filter(
      (name) => !checks[name].ok,
    );
    if (missing.length === 0) return;
    if (performance.now() > deadline) {
      const lines = missing.map((name) => `${name}: ${checks[name].detail}`).join('; ');
      return say(`after ${readyWithinMs / 1000} s not ready yet: ${lines}; /health/ready says when it is`);
    }
    await delay(lookEveryMs, undefined, { signal });
  }
}

type ServedManifest = {
  readonly version: number;
  readonly served: boolean;
  readonly metrics: { readonly testAccuracy: number };
};

function describeModel(version: number, testAccuracy: number): string {
  return `model ${version}: ${(100 * testAccuracy).toFixed(2)} % of the test images right`;
}

/** Says which model answers; shows the first training, when there is none yet. */
async function followFirstModel(api: Api, signal: AbortSignal): Promise<void> {
  const models = await api.get<{ data: ServedManifest[] }>('/models?limit=100');
  const served = models.data.find((model) => model.served);
  if (served) say(describeModel(served.version, served.metrics.testAccuracy));
  if (models.data.length > 0) return;
  const { data } = await api.get<{ data: TrainJob[] }>('/jobs?limit=1');
  const [job] = data;
  if (!job || job.finishedAt !== null) return;
  const read = () => api.get<TrainJob>(`/jobs/${job.id}`);
  const ended = await showTraining(read, process.stdout, signal);
  const last = ended.epochs.at(-1);
  if (ended.status === 'succeeded' && last) {
    await untilServed(api, last.modelVersion, signal);
    say(describeModel(last.modelVersion, last.testAccuracy));
  } else {
    say(`the first training ended as ${ended.status}: ${ended.error?.message ?? 'no reason given'}`);
  }
}

/** Waits for the swap, a few hundred milliseconds after the version was published. */
async function untilServed(api: Api, version: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  while (!(await api.get<{ served: boolean }>(`/models/${version}`)).served) {
    if (performance.now() > deadline) {
      const message = `expected model ${version} to be served within ${readyWithinMs / 1000} s; LOG_LEVEL=info tells more`;
      throw new TrainyardError('NOT_SERVED', message);
    }
    await delay(lookEveryMs, undefined, { signal });
  }
}

/** Commands for a shell that knows API_KEY, where there is one; the key itself is not printed. */
function thingsToTry(address: string, keyCount: number): string {
  const key = keyCount > 1 ? '${API_KEY%%,*}' : '$API_KEY'; // of several the first
  const curl = keyCount > 0 ? `curl -s -H "authorization: Bearer ${key}"` : 'curl -s';
  return `
Draw, train and look: open ${address} in a browser.

Try it:
  ${curl} ${address}/datasets/mnist/test/0.png -o digit.png
  ${curl} ${address}/predict -H 'content-type: image/png' --data-binary @digit.png
  ${curl} -X POST ${address}/jobs/train -H 'content-type: application/json' -d '{"recipe":"fast"}'
  npx trainyard --url ${address} jobs

Ctrl-C stops everything${ignoresHangup() ? `, and so does "kill ${process.pid}"; closing the terminal does not` : ''}.`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
