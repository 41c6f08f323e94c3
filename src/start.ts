/** `npm start`: runs Redis, the API and one worker on this machine; reports the first model and commands to try. */
import { setTimeout as delay } from 'node:timers/promises';
import { answerWhenAvailable, createClient, getReadiness, type TrainyardClient } from './client/index.ts';
import { readListenerConfig } from './config.ts';
import { type EmbeddedRedis, startRedis } from './launcher/embedded-redis.ts';
import { expectRedis } from './launcher/external-redis.ts';
import { followFirstModel } from './launcher/follow-first-model.ts';
import { type Part, startPart } from './launcher/part.ts';
import { messageOf } from './lib/errors.ts';
import { openDataDir } from './lib/files.ts';
import { expectFree, grpcPlace } from './lib/listen.ts';
import { bypassProxy } from './lib/no-proxy.ts';
import { ignoresHangup } from './lib/nohup.mjs';
import { closeOnExit, runEntry } from './lifecycle.ts';
import { createLog } from './log.ts';
import { takeOptions } from './options.mjs';

const readyWithinMs = 30_000;
const pollEveryMs = 100;
const stopWithinMs = 40_000; // for all parts, which stop one after the other, each with its own limit

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
    for (const part of parts) await part.stop(); // dependents first
    await redis?.close();
  };
  const stopAndSay = async () => {
    say('stopping: server, worker, Redis');
    await stop();
    say('stopped; "npm start" goes on where this ended');
  };
  closeOnExit(createLog('start', { logLevel }), stopAndSay, stopWithinMs);

  try {
    await expectFree(config);
    const grpc = grpcPlace(config);
    if (grpc !== null) await expectFree(grpc);
    await openDataDir(config.dataDir);
    if (config.redisUrl === null) redis = await startRedis(config.dataDir);
    else await expectRedis(config.redisUrl);
    const redisUrl = redis?.url ?? config.redisUrl!;
    const settings = { REDIS_URL: redisUrl, DATA_DIR: config.dataDir, LOG_LEVEL: logLevel };
    const env = { ...options.environment, ...settings };
    const server = startPart('server', env);
    const worker = startPart('worker', env);
    parts.push(server, worker);
    const [{ address = '', grpcAddress }] = await Promise.all([server.ready, worker.ready]);
    say(`Trainyard listens on ${address}${grpcAddress ? `, gRPC on ${grpcAddress}` : ''}`);
    bypassProxy(address);
    const client = createClient({ baseUrl: address, key: config.apiKeys[0] });
    await untilReady(client, config.firstModel, stopping.signal);
    await followFirstModel(client, process.stdout, stopping.signal).catch((error: unknown) => {
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

/** Waits for Redis and the worker; also for a model, or the job that trains the first one, where one is wanted. */
async function untilReady(client: TrainyardClient, wantsModel: boolean, signal: AbortSignal): Promise<void> {
  const wanted = wantsModel ? (['redis', 'worker', 'model'] as const) : (['redis', 'worker'] as const);
  const deadline = performance.now() + readyWithinMs;
  for (;;) {
    const { checks } = await answerWhenAvailable(() => getReadiness(client, { signal }), signal);
    const missing = wanted.filter((name) => !checks[name].ok);
    if (missing.length === 0) return;
    if (performance.now() > deadline) {
      const lines = missing.map((name) => `${name}: ${checks[name].detail}`).join('; ');
      return say(`after ${readyWithinMs / 1000} s not ready yet: ${lines}; /health/ready says when it is`);
    }
    await delay(pollEveryMs, undefined, { signal });
  }
}

/** Commands to paste into a shell that has API_KEY set where a key is needed; the key itself is not printed. */
function thingsToTry(address: string, keyCount: number): string {
  const key = keyCount > 1 ? '${API_KEY%%,*}' : '$API_KEY'; // the first of several
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
