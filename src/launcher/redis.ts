/**
 * The embedded Redis: loopback only, a port and a password of its own, every write in an append-only
 * file under DATA_DIR/redis. It is started again when it dies, and ends when its launcher is gone.
 */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { endChild } from '../lib/child-process.ts';
import { messageOf, TrainyardError } from '../lib/errors.ts';
import {
  isFileDamaged,
  launchServer,
  type RedisServer,
  repairFile,
  type ServerOptions,
  urlOf,
} from './redis-server.ts';

export type EmbeddedRedis = {
  readonly url: string; // stays the same when Redis is started again
  /** The newest process. */
  readonly process: ChildProcess;
  close(): Promise<void>;
};

/** Where the Redis of a data directory answers, and whose it is. */
type Endpoint = { readonly url: string; readonly launcherPid: number; readonly redisPid: number };

const closeGraceMs = 5000;
const orphanAnswersMs = 2000;
const firstDelayMs = 100; // before it is started again; doubled each time …
const longestDelayMs = 5000; // … up to this …
const livesMs = 10_000; // … until it has lived so long

/**
 * Starts Redis on a data directory, and again whenever it dies. A Redis that a killed launcher has left
 * there is stopped first. What people should know of goes to `tell`, a line each.
 *
 * @throws TrainyardError `DATA_DIR_IN_USE`, `REDIS_MISSING` or `REDIS_NOT_STARTED`
 */
export async function startRedis(dataDir: string, tell = writeToStderr): Promise<EmbeddedRedis> {
  const directory = join(dataDir, 'redis');
  await mkdir(directory, { recursive: true });
  await stopOrphan(directory);
  const password = randomBytes(24).toString('base64url');
  const options: ServerOptions = { directory, port: await freePort(), password };
  const closing = new AbortController();
  let server: RedisServer;
  const run = async () => {
    closing.signal.throwIfAborted();
    server = launchServer(options);
    const redisPid = server.process.pid!;
    await writeEndpoint(directory, { url: urlOf(options), launcherPid: process.pid, redisPid });
    await server.ready;
    if (server.output().includes('aof-load-truncated')) tell('its append-only file was cut off at the end');
    return server.process;
  };
  const running = keepRunning(await repairing(run, directory, tell), {
    run: () => repairing(run, directory, tell),
    tell,
    signal: closing.signal,
  });
  return {
    url: urlOf(options),
    get process() {
      return server.process;
    },
    close: async () => {
      closing.abort();
      await endChild(server.process, 'SIGTERM', closeGraceMs);
      await running;
      await rm(endpointPath(directory), { force: true });
    },
  };
}

function writeToStderr(text: string): void {
  process.stderr.write(`the embedded Redis: ${text}\n`);
}

/** Runs, and once more after a repair where the append-only file is damaged. */
async function repairing<T>(
  run: () => Promise<T>,
  directory: string,
  tell: (text: string) => void,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isFileDamaged(error)) throw error;
    tell(await repairFile(directory));
    return await run();
  }
}

type Keeping = {
  readonly run: () => Promise<ChildProcess>;
  readonly tell: (text: string) => void;
  readonly signal: AbortSignal;
};

/** Starts Redis again whenever it ends, at most every `longestDelayMs` when it keeps ending; resolves when `signal` aborts. */
async function keepRunning(first: ChildProcess, { run, tell, signal }: Keeping): Promise<void> {
  let child: ChildProcess | null = first;
  let delayMs = firstDelayMs;
  for (;;) {
    if (child) {
      const startedAt = performance.now();
      const how = await untilEnded(child);
      if (performance.now() - startedAt > livesMs) delayMs = firstDelayMs;
      if (!signal.aborted) tell(`it ended (${how}); starting it again`);
    }
    await delay(delayMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    delayMs = Math.min(2 * delayMs, longestDelayMs);
    child = await run().catch((error: unknown) => {
      if (!signal.aborted) tell(`${messageOf(error)}\ntrying again in ${delayMs / 1000} s`);
      return null;
    });
    if (child) tell('it runs again');
  }
}

async function untilEnded(child: ChildProcess): Promise<string> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.signalCode ?? `exit code ${child.exitCode}`;
}

/**
 * Whoever answers to the password in the endpoint file is the Redis of this directory.
 *
 * @throws TrainyardError `DATA_DIR_IN_USE`
 */
async function stopOrphan(directory: string): Promise<void> {
  const endpoint = await readEndpoint(directory);
  if (!endpoint) return;
  const redis = new Redis(endpoint.url, {
    lazyConnect: true,
    enableReadyCheck: false, // one that is still loading can be stopped too
    retryStrategy: () => null,
    connectTimeout: orphanAnswersMs,
    socketTimeout: orphanAnswersMs,
  });
  redis.on('error', () => {}); // nobody there: nothing to stop
  const closed = new Promise((resolve) => redis.once('end', resolve));
  const startedAt = performance.now();
  try {
    await redis.connect();
  } catch {
    if (performance.now() - startedAt < orphanAnswersMs) return;
    const found = `a process there that takes connections and answers nothing (Redis was process ${endpoint.redisPid}); end it, with kill -9`;
    throw inUse(directory, found);
  }
  if (isAlive(endpoint.launcherPid)) {
    redis.disconnect();
    throw inUse(directory, `a running Trainyard (process ${endpoint.launcherPid}); stop it`);
  }
  await redis.shutdown().catch(() => {}); // the connection breaks, as it should
  await closed;
}

function inUse(directory: string, found: string): TrainyardError {
  return new TrainyardError(
    'DATA_DIR_IN_USE',
    `expected ${directory} to be free, got ${found} or set DATA_DIR`,
  );
}

function endpointPath(directory: string): string {
  return join(directory, 'endpoint.json');
}

/** Null where there is none, or nothing that can be read. */
async function readEndpoint(directory: string): Promise<Endpoint | null> {
  try {
    return JSON.parse(await readFile(endpointPath(directory), 'utf8')) as Endpoint;
  } catch {
    return null;
  }
}

/** Readable by the owner only, since it holds the password; whole or not at all. */
async function writeEndpoint(directory: string, endpoint: Endpoint): Promise<void> {
  const path = endpointPath(directory);
  const beside = `${path}.new`;
  await rm(beside, { force: true }); // one that a killed launcher left may have another mode
  await writeFile(beside, JSON.stringify(endpoint), { mode: 0o600 });
  await rename(beside, path);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address');
  return address.port;
}
