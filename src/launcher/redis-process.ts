/**
 * One Redis process on a directory: finds the server on the PATH, starts it with a guard, repairs its append-only file.
 * embedded-redis.ts restarts it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Writable } from 'node:stream';
import { endChild } from '../lib/child-process.ts';
import { messageOf, TrainyardError } from '../lib/errors.ts';
import { Redis } from '../lib/ioredis.ts';

export type ServerOptions = {
  readonly directory: string; // absolute; of the append-only file
  readonly port: number;
  readonly password: string;
};

export type RedisServer = {
  readonly process: ChildProcess;
  /** Resolves when it answers. Rejects with a TrainyardError `REDIS_NOT_STARTED`. */
  readonly ready: Promise<void>;
  /** The last 2,000 characters of its output. */
  output(): string;
};

const startWithinMs = 30_000; // a long append-only file takes a while to load

/**
 * Starts Redis from a shell that leaves a guard process behind. Pipe 3 closes when the launcher ends for any reason; the
 * guard then gives server and worker 3 s to finish and ends Redis, with SIGKILL after 5 s more. A line on the pipe ends
 * the guard. `$$` is the process id of the shell, which `exec` turns into Redis.
 */
const guardedStart = `
(
  trap '' HUP
  read -r _ <&3 && exit
  sleep 3
  kill -TERM $$
  for _ in 1 2 3 4 5; do sleep 1; kill -0 $$ || exit; done
  kill -KILL $$
) >/dev/null 2>&1 &
exec "$0" - 3<&-
`;

/** @throws TrainyardError `REDIS_MISSING` */
export function launchServer(options: ServerOptions): RedisServer {
  const child = spawn('sh', ['-c', guardedStart, findServer()], {
    stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
    detached: true, // a terminal's Ctrl-C is for the launcher, which ends Redis last
  });
  const [input, , , guard] = child.stdio as unknown as [Writable, unknown, unknown, Writable];
  for (const pipe of [input, guard]) pipe.on('error', () => {}); // Redis has ended; `exit` reports it
  input.end(configuration(options)); // not as arguments, which other users can read
  child.once('exit', () => guard.end('\n'));
  const output = collect(child);
  const ready = untilReady(urlOf(options), child, output);
  ready.catch(() => {}); // callers that await it get the error
  return { process: child, ready, output };
}

export function urlOf({ port, password }: ServerOptions): string {
  return `redis://:${password}@127.0.0.1:${port}`;
}

function configuration({ directory, port, password }: ServerOptions): string {
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${JSON.stringify(directory)}`, // Redis has the same escapes
    'appendonly yes',
    'appendfsync always', // a job is on disk before its 202 is sent
    'aof-load-truncated yes',
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

async function untilReady(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const redis = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null, connectTimeout: 1000 });
  redis.on('error', () => {}); // refused until it listens
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      redis.once('ready', resolve);
      child.once('error', reject);
      child.once('close', (code, signal) => reject(new Error(`it ended (${signal ?? `exit code ${code}`})`)));
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

/** Keeps the last output of a child, for error messages. */
function collect(child: ChildProcess): () => string {
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-2000);
  });
  return () => text;
}

/** True when Redis did not start because its append-only file is damaged, for instance by a power cut. */
export function isFileDamaged(error: unknown): boolean {
  return error instanceof TrainyardError && error.message.includes('Bad file format');
}

/**
 * Truncates the append-only file at its first invalid entry, after making a copy.
 *
 * @returns a description of the repair, for people
 * @throws TrainyardError `REDIS_NOT_STARTED` when it can't be repaired
 */
export async function repairFile(directory: string): Promise<string> {
  const folder = join(directory, 'appendonlydir');
  const parts = existsSync(folder); // since Redis 7 the file has parts, listed in a manifest
  const damaged = parts ? folder : join(directory, 'appendonly.aof');
  const copy = `${damaged}.damaged-${new Date().toISOString().replaceAll(':', '-')}`;
  await cp(damaged, copy, { recursive: true });
  // The server binary acts as the repair tool when argv[0] is redis-check-aof.
  const tool = spawn(findServer(), ['--fix', parts ? join(folder, 'appendonly.aof.manifest') : damaged], {
    argv0: 'redis-check-aof',
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  tool.stdin.on('error', () => {}); // it ended without reading the answer
  tool.stdin.end('y\n');
  const output = collect(tool);
  const [code] = (await once(tool, 'close')) as [number | null];
  if (code === 0) return `its append-only file was damaged and is cut off there; how it was is in ${copy}`;
  const message = `expected redis-check-aof to repair ${damaged}, got exit code ${code}; move that away to start without old jobs, or repair it; a copy is in ${copy}\n${output()}`;
  throw new TrainyardError('REDIS_NOT_STARTED', message);
}
