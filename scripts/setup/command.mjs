/** Commands as child processes: their output is shown only when they fail. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { indent, SetupFailure } from './failure.mjs';

const shownLines = 6; // of the beginning and of the end: npm says first what is wrong, most others last
const killAfterMs = 3000;

/**
 * `gently`: on the signal only the process itself is asked, once: apt-get then finishes what must not be torn.
 *
 * @typedef {{ signal: AbortSignal, cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number, gently?: boolean }} Options
 * @typedef {{ ok: true, stdout: string } | { ok: false, message: string }} Result
 */

/**
 * Runs a command to its end. A failure says how it ended, and what it printed first and last.
 *
 * @type {(command: string, args: string[], options: Options) => Promise<Result>}
 * @throws the signal's reason, once the command and its children are gone
 */
export async function run(command, args, { signal, cwd, env, timeoutMs = 3_600_000, gently = false }) {
  signal.throwIfAborted();
  // A process group of its own: its children end with it, and a terminal's Ctrl-C reaches it through us.
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, output] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => void (stdout += text));
  for (const stream of [child.stdout, child.stderr.setEncoding('utf8')])
    stream.on('data', (text) => void (output += text));
  const late = AbortSignal.timeout(timeoutMs);
  const end = () => (gently ? child.kill('SIGINT') : endGroup(child));
  AbortSignal.any([signal, late]).addEventListener('abort', end);
  const how = await new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started (${error.message})`));
    child.once('close', (code, ending) => resolve(`ended with ${ending ?? `exit code ${code}`}`));
  });
  signal.throwIfAborted();
  if (how === 'ended with exit code 0') return { ok: true, stdout };
  const name = [basename(command), ...args.filter((arg) => !arg.includes('\n'))].join(' ').slice(0, 80);
  const shown = excerpt(output);
  const ended = late.aborted ? `took longer than ${timeoutMs / 1000} s` : how;
  return { ok: false, message: `"${name}" ${ended}${shown && `:\n${indent(shown)}`}` };
}

/**
 * As `run`, for a command that has to succeed; returns its standard output.
 *
 * @type {(expectation: string, command: string, args: string[], options: Options, advice?: string) => Promise<string>}
 * @throws {SetupFailure} 'expected the wheel to unpack, but …', with the advice on what to do
 */
export async function runOrFail(expectation, command, args, options, advice) {
  const result = await run(command, args, options);
  if (result.ok) return result.stdout;
  const next = advice ? `\nWhat to do: ${advice}, then run the command again.` : '';
  throw new SetupFailure(`expected ${expectation}, but ${result.message}${next}`);
}

/** @param {string} output its first and last lines, and between them those that name an error */
function excerpt(output) {
  const lines = output.trim().split('\n');
  if (lines.length <= 2 * shownLines) return lines.join('\n');
  const errors = lines.slice(shownLines, -shownLines).filter((line) => /error/i.test(line));
  const [first, last] = [lines.slice(0, shownLines), lines.slice(-shownLines)];
  return [...first, '…', ...errors.slice(0, shownLines), ...last].join('\n');
}

/** @param {import('node:child_process').ChildProcess} child */
function endGroup(child) {
  const send = (/** @type {NodeJS.Signals} */ signal) => {
    try {
      if (child.pid) process.kill(-child.pid, signal);
    } catch {
      // gone already
    }
  };
  send('SIGTERM');
  const timer = setTimeout(() => send('SIGKILL'), killAfterMs);
  child.once('close', () => clearTimeout(timer));
}

/** @type {(env: NodeJS.ProcessEnv, ...names: string[]) => string | null} the full path of the first that the PATH has */
export function findCommand(env, ...names) {
  const folders = (env['PATH'] ?? '').split(delimiter);
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find((path) => existsSync(path)) ?? null;
}
