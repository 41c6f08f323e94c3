/**
 * Whether this process was started to outlive its terminal, as by nohup.
 *
 * nohup has SIGHUP ignored, and Node undoes that: before any JavaScript runs, Node and npm set every ignored signal
 * back to its default, for themselves and for their children. So the wish can only be seen in what else nohup and
 * shells leave behind. Plain JavaScript, because scripts/run.mjs needs it before anything is compiled.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

const accessMode = 0o3; // of the flags of open(2)
const writeOnly = 0o1;
const hangupBit = 0x1n; // of a signal mask in /proc: SIGHUP is signal 1

/**
 * True where SIGHUP is to end nothing. IGNORE_SIGHUP decides if it is set. Traces of nohup are else: `_`, in which
 * bash, zsh and ksh name the command that they start; on Linux also a standard input that can't be read, which GNU
 * nohup puts in a terminal's place, and an ancestor in the same process group, such as a script, that ignores SIGHUP.
 *
 * @param {NodeJS.ProcessEnv} [environment]
 */
export function ignoresHangup(environment = process.env) {
  const { IGNORE_SIGHUP: set, _: command } = environment;
  if (set) return ['true', '1', 'yes'].includes(set.toLowerCase());
  if (basename(command ?? '') === 'nohup') return true;
  return process.platform === 'linux' && (isInputOfNohup() || doesAncestorIgnoreHangup());
}

function isInputOfNohup() {
  try {
    const [, flags = '0'] = /^flags:\s+(\d+)/m.exec(readFileSync('/proc/self/fdinfo/0', 'utf8')) ?? [];
    const isWriteOnly = (Number.parseInt(flags, 8) & accessMode) === writeOnly;
    return isWriteOnly && readlinkSync('/proc/self/fd/0') === '/dev/null';
  } catch {
    return false; // no standard input
  }
}

function doesAncestorIgnoreHangup() {
  try {
    const own = processOf('self');
    for (let next = processOf(own.parent); next.group === own.group; next = processOf(next.parent)) {
      if (next.ignoresHangup) return true;
    }
  } catch {
    // it has ended, or its processes are hidden from us
  }
  return false;
}

/** @param {string} pid */
function processOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [, parent = '0', group] = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // state, parent, group, …
  const [, mask = '0'] = /^SigIgn:\s+(\w+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return { parent, group, ignoresHangup: (BigInt(`0x${mask}`) & hangupBit) !== 0n };
}
