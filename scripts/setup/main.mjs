/** The steps of set-up in their order. One that fails ends it with exit code 1. */
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { browser } from './browser.mjs';
import { build } from './build.mjs';
import { readSurroundings } from './environment.mjs';
import { SetupFailure, SetupStopped } from './failure.mjs';
import { takeLock } from './lock.mjs';
import { packages } from './packages.mjs';
import { redis } from './redis.mjs';
import { createReport } from './report.mjs';
import { readSystem } from './system.mjs';
import { tensorflow } from './tensorflow.mjs';
import { webgpu } from './webgpu.mjs';

/**
 * What every step gets. `verify`: files are checked by their SHA-256 rather than by size; `retry`: what could not be had
 * last time is tried again; `doing` says what the step is busy with.
 *
 * @typedef {{ root: string, cacheDir: string, env: NodeJS.ProcessEnv, system: import('./system.mjs').System,
 *   signal: AbortSignal, verify: boolean, retry: boolean, doing: (name: string) => void }} Context
 * @typedef {{ mark: '✓' | '–' | '!', text: string }} Outcome in place, not wanted, or done without, and that matters
 *
 * `check`: what is in place; null: to be made. `make` runs in no other set-up on this cache at the same time.
 * @typedef {{ title: string, check: (context: Context) => Promise<Outcome | null>,
 *   make: (context: Context) => Promise<Outcome> }} Step
 */

const flags = ['--no-redis', '--browser', '--verify', '--retry'];
/** In their order. WebGPU only where ENGINE asks for it, Chromium only with --browser. @type {Record<string, Step>} */
const steps = { packages, tensorflow, webgpu, redis, browser, build };

/** Runs set-up and leaves its outcome in `process.exitCode`. @param {string[]} args */
export async function main(args) {
  const report = createReport(process.stdout);
  const stopping = new AbortController();
  const forget = abortOnSignals(stopping);
  const { signal } = stopping;
  const held = /** @type {(() => void)[]} */ ([]); // the lock, once a step needed it
  try {
    const chosen = readFlags(args);
    const root = resolve(import.meta.dirname, '../..');
    const { note, ...surroundings } = readSurroundings(process.env, root);
    const asked = { verify: args.includes('--verify'), retry: args.includes('--retry') };
    const context = { root, ...surroundings, ...asked, system: readSystem(), signal, doing: report.doing };
    await report.step('Node', async () => ({ mark: '✓', text: `Node ${process.versions.node}` }));
    if (note !== null) await report.step('cache', async () => ({ mark: '–', text: note }));
    for (const { title, check, make } of chosen) {
      await report.step(title, async () => {
        const found = await check(context);
        if (found !== null) return found;
        report.doing('waiting for another set-up');
        if (held.length === 0) held.push(await takeLock(context.cacheDir, signal));
        return (await check(context)) ?? make(context); // another set-up may have made it meanwhile
      });
    }
    signal.throwIfAborted(); // what follows set-up must not start
    report.end();
  } catch (error) {
    process.exitCode = tell(signal.aborted ? signal.reason : error);
  } finally {
    for (const release of held) release();
    forget(); // what follows set-up in this process has handlers of its own
  }
}

/** @type {(args: string[]) => Step[]} the steps to take; throws a SetupFailure at what is no flag or no step */
function readFlags(args) {
  const only = args.find((arg) => arg.startsWith('--only='));
  const names = only?.slice('--only='.length).split(',') ?? Object.keys(steps);
  const unknown = args.filter((arg) => arg !== only && !flags.includes(arg));
  unknown.push(...names.filter((name) => !(name in steps)));
  if (unknown.length > 0) {
    const known = [...flags, `--only=${Object.keys(steps).join(',')}`].join(', ');
    throw new SetupFailure(`expected nothing or ${known}, got ${unknown.join(' ')}`);
  }
  const chosen = new Set(names);
  if (args.includes('--no-redis')) chosen.delete('redis');
  if (!args.includes('--browser')) chosen.delete('browser');
  if (process.env['ENGINE'] !== 'webgpu') chosen.delete('webgpu');
  return Object.entries(steps).flatMap(([name, step]) => (chosen.has(name) ? [step] : []));
}

/** @param {AbortController} controller @returns a function that removes the handlers */
function abortOnSignals(controller) {
  const ignored = process.env['IGNORE_SIGHUP'] === 'true' ? 'SIGHUP' : null; // scripts/run.mjs sets it
  const abort = (/** @type {NodeJS.Signals} */ signal) =>
    signal === ignored || controller.abort(new SetupStopped(signal));
  const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
  for (const signal of signals) process.on(signal, abort);
  return () => signals.forEach((signal) => process.off(signal, abort));
}

/** @param {unknown} error is printed @returns the exit code */
function tell(error) {
  if (error instanceof SetupStopped) {
    console.error(`set-up stopped by ${error.message}; the next run goes on from what is whole`);
    return 128 + constants.signals[/** @type {NodeJS.Signals} */ (error.message)];
  }
  const isRefused = error instanceof Error && 'syscall' in error; // by the system: a path
  const advice =
    'What to do: mend that path: another user may own it (then chown -R helps), it may be no directory, or its disk\n' +
    'is full or read-only. TRAINYARD_CACHE names another directory for the downloads. Then run the command again.';
  const refusal =
    isRefused && `expected to read and write the checkout and the downloads, but ${error.message}\n${advice}`;
  console.error(error instanceof SetupFailure ? error.message : refusal || error);
  return 1;
}
