/** A worker in a process of its own, which a test can kill. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { closeAfterTest, shortTimings, type Yard } from './yard.ts';

const program = fileURLToPath(new URL('worker-program.ts', import.meta.url));

/** Killed when the test has ended, if it still runs. */
export function startWorkerProcess({ redisUrl, prefix, dataDir }: Yard): ChildProcess {
  const args = [redisUrl, prefix, dataDir, JSON.stringify(shortTimings)];
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  closeAfterTest(() => endProcess(child, 'SIGKILL'));
  return child;
}

/** Resolves when the process is gone. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
