/** Commands as child processes: nothing of theirs is printed, the last of it is kept for a message. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { indent } from './failure.mjs';

const keptLength = 20_000; // characters
const shownLines = 6; // of the beginning and of the end: npm says first what is wrong, most others last
const nameLength = 80;
const killAfterMs = 3000;
const lookEveryMs = 1000;

/**
 * @typedef {object} Options
 * @property {AbortSignal} signal ends the command
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {number} [timeoutMs]
 * @property {{ bytes: () => number, withinMs: number }} [growth] ends the command when nothing grows that long
 * @property {boolean} [gently] only the process itself is asked, once: apt-get then finishes what must not be torn
 *
 * @typedef {{ ok: true, stdout: string } | { ok: false, message: string }} Result
 */

/**
 * Runs a command to its end.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {Options} options
 * @returns {Promise<Result>} when it fails: how, and the last lines it printed
 * @throws the signal's reason, once the command and its children are gone
 */
export async function run(command, args, options) {
  options.signal.throwIfAborted();
  const { cwd, env, gently = false } = options;
  // A process group of its own: its children end with it, and a terminal's Ctrl-C reaches it through us.
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let stdout = '';
  const collect = (/** @type {string} */ text) => void (output = shorten(output + text));
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout = (stdout + text).slice(-keptLength);
    collect(text);
  });
  child.stderr.setEncoding('utf8').on('data', collect);
  let ended = '';
  const end = (/** @type {string} */ why) => {
    if (ended) return;
    ended = why;
    if (gently) child.kill('SIGINT');
    else endGroup(child);
  };
  const unwatch = watch(options, end);
  const how = await outcome(child);
  unwatch();
  options.signal.throwIfAborted();
  if (how === null && !ended) return { ok: true, stdout };
  const shown = excerpt(output);
  return {
    ok: false,
    message: `"${nameOf(command, args)}" ${ended || how}${shown && `:\n${indent(shown)}`}`,
  };
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function nameOf(command, args) {
  const name = [basename(command), ...args.filter((arg) => !arg.includes('\n'))].join(' ');
  return name.length <= nameLength ? name : `${name.slice(0, nameLength)} …`;
}

/**
 * The beginning and the end of an endless output.
 *
 * @param {string} text
 */
function shorten(text) {
  return text.length <= 2 * keptLength ? text : `${text.slice(0, keptLength)}\n${text.slice(-keptLength)}`;
}

/**
 * The first and the last lines, and between them those that name an error.
 *
 * @param {string} output
 */
function excerpt(output) {
  const lines = output.trim().split('\n');
  if (lines.length <= 2 * shownLines) return lines.join('\n');
  const between = lines.slice(shownLines, -shownLines).filter((line) => /error/i.test(line));
  const chosen = ['…', ...between.slice(0, shownLines), '…'].slice(between.length === 0 ? 1 : 0);
  return [...lines.slice(0, shownLines), ...chosen, ...lines.slice(-shownLines)].join('\n');
}

/**
 * Ends the command on the signal, after its time or when it does not get on.
 *
 * @param {Options} options
 * @param {(why: string) => void} end
 * @returns a function that stops watching
 */
function watch({ signal, timeoutMs, growth }, end) {
  const onAbort = () => end('was stopped');
  signal.addEventListener('abort', onAbort);
  const began = performance.now();
  let last = { bytes: -1, at: began };
  const timer = setInterval(() => {
    const now = performance.now();
    if (timeoutMs && now - began > timeoutMs) end(`took longer than ${timeoutMs / 1000} s`);
    if (!growth) return;
    const bytes = growth.bytes();
    if (bytes !== last.bytes) last = { bytes, at: now };
    else if (now - last.at > growth.withinMs) end(`brought nothing for ${growth.withinMs / 1000} s`);
  }, lookEveryMs);
  return () => {
    signal.removeEventListener('abort', onAbort);
    clearInterval(timer);
  };
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<string | null>} null: exit code 0; otherwise how it ended, in words
 */
function outcome(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started (${error.message})`));
    child.once('close', (code, signal) => {
      resolve(code === 0 ? null : `ended with ${signal ?? `exit code ${code}`}`);
    });
  });
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

/**
 * The full path of the first of these commands that the PATH has, or null.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} names
 */
export function findCommand(env, ...names) {
  for (const name of names) {
    for (const folder of (env['PATH'] ?? '').split(delimiter)) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // not in this folder
      }
    }
  }
  return null;
}
