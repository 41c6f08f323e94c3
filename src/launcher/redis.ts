/**
 * The embedded Redis: loopback only, a port and a password of its own, every write in an append-only
 * file under DATA_DIR/redis.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import { endChild } from '../model/child-process.ts';
import { messageOf, TrainyardError } from '../model/errors.ts';

export type EmbeddedRedis = { readonly url: string; readonly process: ChildProcess; close(): Promise<void> };

/** Where the Redis of a data directory answers, and whose it is. */
type Endpoint = { readonly url: string; readonly launcherPid: number };

const startWithinMs = 30_000; // a long append-only file takes a while to load
const closeGraceMs = 5000;

/**
 * Starts Redis on a data directory. A Redis that a killed launcher has left there is stopped first.
 *
 * @throws TrainyardError `DATA_DIR_IN_USE`, `REDIS_MISSING` or `REDIS_NOT_STARTED`
 */
export async function startRedis(dataDir: string): Promise<EmbeddedRedis> {
  const directory = join(dataDir, 'redis');
  await mkdir(directory, { recursive: true });
  await stopOrphan(directory);
  const port = await freePort();
  const password = randomBytes(24).toString('base64url');
  const url = `redis://:${password}@127.0.0.1:${port}`;
  const child = spawn(findServer(), ['-'], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  const output = collect(child);
  child.stdin.end(configuration(directory, port, password)); // not as arguments, which others can read
  const endWithUs = () => child.kill('SIGTERM');
  process.once('exit', endWithUs); // also when nothing is waited for any longer
  await writeEndpoint(directory, { url, launcherPid: process.pid });
  await untilReady(url, child, output);
  return {
    url,
    process: child,
    close: async () => {
      await endChild(child, 'SIGTERM', closeGraceMs);
      process.off('exit', endWithUs);
      await rm(endpointPath(directory), { force: true });
    },
  };
}

function configuration(directory: string, port: number, password: string): string {
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir "${directory}"`,
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    'loglevel warning',
  ];
  return `${lines.join('\n')}\n`;
}

/** @throws TrainyardError `REDIS_MISSING` */
function findServer(): string {
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // not in this folder
      }
    }
  }
  const message =
    'expected redis-server or valkey-server on the PATH, found neither; run "npm run setup" or set REDIS_URL';
  throw new TrainyardError('REDIS_MISSING', message);
}

/** Whoever answers to the password in the endpoint file is the Redis of this directory. */
async function stopOrphan(directory: string): Promise<void> {
  const endpoint = await readEndpoint(directory);
  if (!endpoint) return;
  const redis = new Redis(endpoint.url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 1000,
  });
  redis.on('error', () => {}); // nobody there: nothing to stop
  try {
    await redis.connect();
  } catch {
    return;
  }
  if (isAlive(endpoint.launcherPid)) {
    redis.disconnect();
    const message = `expected ${directory} to be free, got a running Trainyard (process ${endpoint.launcherPid}); stop it or set DATA_DIR`;
    throw new TrainyardError('DATA_DIR_IN_USE', message);
  }
  const closed = new Promise((resolve) => redis.once('end', resolve));
  await redis.shutdown().catch(() => {}); // the connection breaks, as it should
  await closed;
}

async function untilReady(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const redis = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null, connectTimeout: 1000 });
  redis.on('error', () => {}); // refused until it listens
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      redis.once('ready', resolve);
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`it ended (${signal ?? `exit code ${code}`})`)));
      timer = setTimeout(() => reject(new Error('no answer')), startWithinMs);
    });
  } catch (error) {
    await endChild(child, 'SIGKILL', 0);
    const message = `expected the embedded Redis to answer within ${startWithinMs / 1000} s, got: ${messageOf(error)}\n${output()}`;
    throw new TrainyardError('REDIS_NOT_STARTED', message);
  } finally {
    clearTimeout(timer);
    redis.disconnect();
  }
}

/** The last of what a child prints, for a message when it fails. */
function collect(child: ChildProcess): () => string {
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-2000);
  });
  return () => text;
}

function endpointPath(directory: string): string {
  return join(directory, 'endpoint.json');
}

async function readEndpoint(directory: string): Promise<Endpoint | null> {
  const text = await readFile(endpointPath(directory), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as Endpoint);
}

/** Readable by the owner only: it holds the password. */
async function writeEndpoint(directory: string, endpoint: Endpoint): Promise<void> {
  const path = endpointPath(directory);
  await writeFile(path, JSON.stringify(endpoint), { mode: 0o600 });
  await chmod(path, 0o600); // also where the file was there before
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
