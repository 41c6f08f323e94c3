/**
 * The embedded Redis: listens on loopback only, with a random port and password, and appends every write to a file under
 * DATA_DIR/redis. It is restarted when it dies and ends with its launcher.
 */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endChild } from '../lib/child-process.ts';
import { messageOf, TrainyardError } from '../lib/errors.ts';
import { Redis } from '../lib/ioredis.ts';
import {
  isFileDamaged,
  launchServer,
  type RedisServer,
  repairFile,
  type ServerOptions,
  urlOf,
} from './redis-process.ts';

export type EmbeddedRedis = {
  readonly url: string; // stays the same when Redis restarts
  /** The newest process. */
  readonly process: ChildProcess;
  close(): Promise<void>;
};

/** The address of a data directory's Redis, and the processes it belongs to. */
type Endpoint = { readonly url: string; readonly launcherPid: number; readonly redisPid: number };

const closeGraceMs = 5000;
const orphanAnswersMs = 2000;
const firstDelayMs = 100; // before a restart; doubled each time
const longestDelayMs = 5000;
const stableMs = 10_000; // a process that lived so long resets the delay

/**
 * Starts Redis on a data directory and restarts it whenever it dies. First stops a Redis that a killed launcher left
 * behind. Calls `tell` with one line for each event that people should know of.
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

/** Calls `run`; if the append-only file is damaged, repairs it and calls `run` again. */
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

/** Restarts Redis whenever it ends, with a growing delay while it keeps ending; resolves when `signal` aborts. */
async function keepRunning(first: ChildProcess, { run, tell, signal }: Keeping): Promise<void> {
  let child: ChildProcess | null = first;
  let delayMs = firstDelayMs;
  let told = ''; // why it does not start; the same line is told once
  for (;;) {
    if (child) {
      const startedAt = performance.now();
      const how = await untilEnded(child);
      if (performance.now() - startedAt > stableMs) delayMs = firstDelayMs;
      if (!signal.aborted) tell(`it ended (${how}); starting it again`);
    }
    await delay(delayMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    delayMs = Math.min(2 * delayMs, longestDelayMs);
    child = await run().catch((error: unknown) => {
      const line = `${messageOf(error)}\ntrying again in ${delayMs / 1000} s`;
      if (!signal.aborted && line !== told) tell(line);
      told = line;
      return null;
    });
    if (!child) continue;
    told = '';
    tell('it runs again');
  }
}

async function untilEnded(child: ChildProcess): Promise<string> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.signalCode ?? `exit code ${child.exitCode}`;
}

/**
 * Stops the Redis that a killed launcher left running. It is recognised by the password in the endpoint file.
 *
 * @throws TrainyardError `DATA_DIR_IN_USE`
 */
async function stopOrphan(directory: string): Promise<void> {
  const endpoint = await readEndpoint(directory);
  if (!endpoint) return;
  const redis = new Redis(endpoint.url, {
    lazyConnect: true,
    enableReadyCheck: false, // a Redis that is still loading can be stopped as well
    retryStrategy: () => null,
    connectTimeout: orphanAnswersMs,
    socketTimeout: orphanAnswersMs,
  });
  redis.on('error', () => {}); // no process listens: nothing to stop
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
  await redis.shutdown().catch(() => {}); // Redis closes the connection instead of answering
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

/** Null when the file is missing or not readable. */
async function readEndpoint(directory: string): Promise<Endpoint | null> {
  try {
    return JSON.parse(await readFile(endpointPath(directory), 'utf8')) as Endpoint;
  } catch {
    return null;
  }
}

/** Writes the file atomically; only its owner may read it, since it holds the password. */
async function writeEndpoint(directory: string, endpoint: Endpoint): Promise<void> {
  const path = endpointPath(directory);
  const beside = `${path}.new`;
  await rm(beside, { force: true }); // a leftover of a killed launcher may have another mode
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
