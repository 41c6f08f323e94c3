/** A process that the launcher runs (server or worker): starts it, waits until it is ready, restarts it when it dies. */
import type { ChildProcess } from 'node:child_process';
import { endChild, forkBeside } from '../lib/child-process.ts';
import { TrainyardError } from '../lib/errors.ts';

export type Part = {
  /** Resolves when the part is ready for the first time. Rejects with a TrainyardError `PART_NOT_STARTED`. */
  readonly ready: Promise<PartReady>;
  stop(): Promise<void>;
};

export type PartReady = { readonly type: 'ready'; readonly address?: string; readonly grpcAddress?: string };

const readyWithinMs = 90_000; // the first use of a GPU may compile kernels; the worker allows a minute
const firstDelayMs = 1000; // before a restart; doubled until the part is ready again
const longestDelayMs = 30_000;
const stopGraceMs = 15_000; // longer than the part's own limit

/** Forks the entry `name` and restarts it whenever it ends after it was ready. Ends of one kind in a row are told once. */
export function startPart(
  name: 'server' | 'worker',
  env: NodeJS.ProcessEnv,
  fork = (all: NodeJS.ProcessEnv): ChildProcess => forkBeside(import.meta.url, `../${name}`, { env: all }),
): Part {
  let stopped = false;
  let restart: NodeJS.Timeout | undefined;
  let port: string | undefined; // a restarted server listens on the same port
  const run = () => fork(port ? { ...env, PORT: port } : env);
  let child = run();
  let delayMs = firstDelayMs;
  let told = '';
  const restartWhenEnded = () => {
    child.once('message', () => {
      delayMs = firstDelayMs;
      told = '';
    });
    child.once('exit', (code, signal) => {
      if (stopped) return;
      const line = `the ${name} ended (${signal ?? `exit code ${code}`}); starting it again\n`;
      if (line !== told) process.stderr.write(line);
      told = line;
      restart = setTimeout(() => {
        child = run();
        restartWhenEnded();
      }, delayMs);
      delayMs = Math.min(2 * delayMs, longestDelayMs);
    });
  };
  const ready = untilReady(name, child).then((message) => {
    if (message.address) port = new URL(message.address).port;
    restartWhenEnded();
    return message;
  });
  return {
    ready,
    stop: async () => {
      stopped = true;
      clearTimeout(restart);
      await endChild(child, 'SIGTERM', stopGraceMs);
    },
  };
}

function untilReady(name: string, child: ChildProcess): Promise<PartReady> {
  return new Promise((resolve, reject) => {
    const fail = async (how: string) => {
      await endChild(child, 'SIGKILL', 0);
      reject(
        new TrainyardError('PART_NOT_STARTED', `expected the ${name} to start, it ${how}; it says why above`),
      );
    };
    const onExit = (code: number | null, signal: NodeJS.Signals | null) => {
      void fail(`ended (${signal ?? `exit code ${code}`})`);
    };
    const timer = setTimeout(() => void fail(`was not ready in ${readyWithinMs / 1000} s`), readyWithinMs);
    child.once('exit', onExit);
    child.once('message', (message: PartReady) => {
      clearTimeout(timer);
      child.off('exit', onExit);
      resolve(message);
    });
  });
}
