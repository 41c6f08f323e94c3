/** The processes of this machine, read from Linux's /proc: much cheaper than ps(1), for tests that ask again and again. */
import { readdirSync, readFileSync } from 'node:fs';

export type Process = { readonly pid: number; readonly command: string };

/** The children of a process that have not ended. */
export function childrenOf(parent: number): Process[] {
  const text = read(`/proc/${parent}/task/${parent}/children`);
  return text.split(' ').filter(Boolean).map(Number).map(describe).filter(isAlive);
}

/** All processes whose environment has a variable with this value. */
export function processesWith(variable: string, value: string): Process[] {
  const wanted = `\0${variable}=${value}\0`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && `\0${read(`/proc/${name}/environ`)}`.includes(wanted))
    .map((name) => describe(Number(name)))
    .filter(isAlive);
}

function describe(pid: number): Process {
  return { pid, command: read(`/proc/${pid}/cmdline`).split('\0').join(' ').trim() };
}

/** A zombie has no command any more. */
function isAlive({ command }: Process): boolean {
  return command !== '';
}

/** '' where the process has ended or is another user's. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
