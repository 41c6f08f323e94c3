/**
 * Docker health check. `server` is healthy when it answers, `worker` when its heartbeat in Redis has not expired.
 * Exit status 0 or 1.
 */
import { hostname } from 'node:os';
import { Redis } from 'ioredis';

const withinMs = 2500;

const checks = { server: serverAnswers, worker: workerIsAnnounced };

try {
  process.stdout.write(`${await checks[process.argv[2]]()}\n`);
} catch (error) {
  process.stdout.write(`${/** @type {Error} */ (error).message}\n`);
  process.exitCode = 1;
}

async function serverAnswers() {
  process.env.NO_PROXY = process.env.no_proxy = '127.0.0.1'; // with NODE_USE_ENV_PROXY=1, Node would send it to the proxy
  const url = `http://127.0.0.1:${process.env.PORT ?? 3000}/health/live`;
  const response = await fetch(url, { signal: AbortSignal.timeout(withinMs) });
  if (!response.ok) throw new Error(`expected 200 from ${url}, got ${response.status}`);
  return 'answers';
}

/** A worker renews its heartbeat every few seconds while its event loop runs and Redis answers. */
async function workerIsAnnounced() {
  const options = { connectTimeout: withinMs, commandTimeout: withinMs, retryStrategy: null };
  const redis = new Redis(process.env.REDIS_URL, options);
  redis.on('error', () => {}); // the command rejects with it
  try {
    const ids = await redis.smembers('trainyard:workers');
    const own = ids.filter((id) => id.startsWith(`${hostname()}:`)).map((id) => `trainyard:workers:${id}`);
    if (own.length > 0 && (await redis.exists(...own)) > 0) return 'is announced';
    throw new Error(`expected a worker of ${hostname()} to be announced in Redis, found none`);
  } finally {
    redis.disconnect();
  }
}
