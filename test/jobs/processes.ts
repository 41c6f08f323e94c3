/** Finds the trainer processes of a worker. */
import { readFile } from 'node:fs/promises';
import { childrenOf } from '../../harness/processes.ts';
import { until } from './until.ts';

/** Process ids of the running trainers that a process has started. */
export function trainersOf(parentPid: number): number[] {
  return childrenOf(parentPid)
    .filter(({ command }) => /trainer-process\.[jt]s/.test(command))
    .map(({ pid }) => pid);
}

/** Waits for a worker's next trainer. */
export async function untilTrainer(parentPid = process.pid, not: readonly number[] = []): Promise<number> {
  const fresh = () => trainersOf(parentPid).filter((pid) => !not.includes(pid));
  const [pid] = await until('a trainer to start', fresh, (pids) => pids.length === 1);
  return pid!;
}

export async function untilGone(pid: number, withinMs = 240_000): Promise<void> {
  await until(
    `process ${pid} to end`,
    () => isRunning(pid),
    (running) => !running,
    withinMs,
  );
}

/** Also false for a zombie. */
export async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => null);
  return status !== null && !/^State:\s+[ZX]/m.test(status);
}
