/** The priority of a child process. */
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Linux may group processes by session: niceness then counts only within the group, so the group's is set too. */
export function setNiceness({ pid }: ChildProcess, niceness: number): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, niceness);
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
  } catch {
    // This system has no such file, or the process has ended (`exit` reports that): its priority stays.
  }
}
