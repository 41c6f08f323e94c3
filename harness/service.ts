/** The whole service as `npm start` runs it, in processes of its own on a data directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TrainJob } from '../src/jobs/contract.ts';
import { processesWith } from './processes.ts';

export type Service = {
  readonly address: string;
  readonly pid: number; // of the command: npm's or the launcher's
  /** Everything printed so far. */
  output(): string;
  /** Resolves when `text` has been printed. */
  printed(text: string, withinMs?: number): Promise<void>;
  /** Reads no more of what it prints, as `head` does. */
  closeOutput(): void;
  /** Sends a signal as a terminal does, to npm and all that it runs; resolves with npm's exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
};

export type Command = { readonly program: string; readonly args: readonly string[]; readonly cwd?: string };

const root = fileURLToPath(new URL('..', import.meta.url));
const pollEveryMs = 50; // each poll costs the service as much as the one who asks
const npmStart: Command = { program: 'npm', args: ['start'], cwd: root };
/** What `npm start` runs once all is set up. */
export const launcherAlone: Command = { program: process.execPath, args: ['dist/start.js'], cwd: root };

/** Starts the service; resolves as soon as it listens. One that does not, or that is `unwanted`, is ended. */
export async function startService(
  dataDir: string,
  env: NodeJS.ProcessEnv = {},
  { program, args, cwd }: Command = npmStart,
  unwanted?: AbortSignal,
): Promise<Service> {
  const { REDIS_URL: _, ...inherited } = process.env;
  const child = spawn(program, args, {
    cwd,
    env: { ...inherited, PORT: '0', DATA_DIR: dataDir, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collectOutput(child);
  const printed = async (text: string, withinMs = 240_000) => {
    await until(
      () => output().includes(text) || child.exitCode !== null,
      `"${text}" to be printed`,
      withinMs,
    );
    if (!output().includes(text))
      throw new Error(`expected "${text}", the service ended after:\n${output()}`);
  };
  const endGroup = () => child.exitCode === null && process.kill(-child.pid!, 'SIGINT');
  unwanted?.addEventListener('abort', endGroup, { once: true });
  await printed('listens on ', 10 * 60_000).catch((error: unknown) => {
    endGroup();
    throw error;
  });
  const address = /listens on ([^\s,]+)/.exec(output())![1]!;
  return {
    address,
    pid: child.pid!,
    output,
    printed,
    closeOutput: () => {
      child.stdout.destroy();
      child.stderr.destroy();
    },
    end: async (signal = 'SIGINT') => {
      if (child.exitCode !== null) return child.exitCode;
      const gone = once(child, 'exit') as Promise<[number | null]>;
      process.kill(-child.pid!, signal);
      return (await gone)[0];
    },
  };
}

/** Waits for a condition that only a real read can tell; fails with `what` after the limit. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 240_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`expected ${what} within ${withinMs} ms`);
    await delay(pollEveryMs);
  }
}

export async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url);
  return (await response.json()) as T;
}

/** Queues a job and waits until it has ended. */
export async function trainToEnd(address: string, request: object, withinMs = 240_000): Promise<TrainJob> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${address}/jobs/train`, {
    method: 'POST',
    headers,
    body: JSON.stringify(request),
  });
  let job = (await response.json()) as TrainJob;
  const ended = async () => {
    const read = await fetch(`${address}/jobs/${job.id}`);
    const answer = (await read.json()) as TrainJob;
    if (read.ok) job = answer; // else a problem: Redis is away
    return job.finishedAt !== null;
  };
  await until(ended, `job ${job.id} to end`, withinMs);
  return job;
}

/** The processes of a service, but for this one and for Redis: lines of a process id and a command. */
export function processesOf(dataDir: string): string[] {
  return processesWith('DATA_DIR', dataDir)
    .filter(({ pid }) => pid !== process.pid)
    .map(({ pid, command }) => `${pid} ${command}`);
}

/** Finds the embedded Redis, which `processesOf` can't see, since it wipes its environment. */
export async function redisPidOf(dataDir: string): Promise<number> {
  const text = await readFile(join(dataDir, 'redis', 'endpoint.json'), 'utf8');
  return (JSON.parse(text) as { redisPid: number }).redisPid;
}

export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function collectOutput(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return () => text;
}
