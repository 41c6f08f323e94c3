/** A worker in its own process, which a test can kill. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { WorkerTimings } from '../../src/jobs/worker/options.ts';
import { closeAfterTest } from '../closing.ts';
import { shortTimings, type Yard } from './yard.ts';

const program = fileURLToPath(new URL('worker-program.mjs', import.meta.url));

/** Starts a worker that is killed at the end of the test if it still runs. */
export function startWorkerProcess(
  { redisUrl, prefix, dataDir }: Yard,
  timings: Partial<WorkerTimings> = shortTimings,
): ChildProcess {
  const args = [redisUrl, prefix, dataDir, JSON.stringify(timings)];
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  closeAfterTest(() => endProcess(child, 'SIGKILL'));
  return child;
}

/** Resolves when the process has exited. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
