/** Finds the trainer processes of a worker. */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { until } from './until.ts';

/** Process ids of the running trainers that a process has started. */
export function trainersOf(parentPid: number): number[] {
  return listProcesses()
    .filter(({ parent, state, command }) => parent === parentPid && state !== 'Z' && isTrainer(command))
    .map(({ pid }) => pid);
}

/** Waits for a worker's next trainer. */
export async function untilTrainer(parentPid = process.pid, not: readonly number[] = []): Promise<number> {
  const fresh = () => trainersOf(parentPid).filter((pid) => !not.includes(pid));
  const [pid] = await until('a trainer to start', fresh, (pids) => pids.length === 1);
  return pid!;
}

export async function untilGone(pid: number, withinMs = 5000): Promise<void> {
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

const isTrainer = (command: string) => /trainer-process\.[jt]s/.test(command);

function listProcesses() {
  const text = execFileSync('ps', ['axww', '-o', 'pid=,ppid=,stat=,command='], { encoding: 'utf8' });
  return text
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S)\S*\s+(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, pid, parent, state, command]) => ({
      pid: Number(pid),
      parent: Number(parent),
      state: state!,
      command: command!,
    }));
}
