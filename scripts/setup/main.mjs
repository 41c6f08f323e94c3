/** The steps of set-up in their order. One that fails ends it with exit code 1. */
import { resolve } from 'node:path';
import { provideBrowser } from './browser.mjs';
import { buildSources } from './build.mjs';
import { readSurroundings } from './environment.mjs';
import { SetupFailure, SetupStopped } from './failure.mjs';
import { installPackages } from './packages.mjs';
import { provideRedis } from './redis.mjs';
import { createReport } from './report.mjs';
import { readSystem } from './system.mjs';
import { provideTensorFlow } from './tensorflow.mjs';
import { createTurn } from './turn.mjs';
import { provideWebGpu } from './webgpu.mjs';

/**
 * What every step needs to know.
 *
 * @typedef {object} Context
 * @property {string} root the repository
 * @property {string} cacheDir outside of it: what takes long to get
 * @property {NodeJS.ProcessEnv} env
 * @property {import('./system.mjs').System} system
 * @property {AbortSignal} signal aborts when set-up is told to stop
 * @property {boolean} verify whether files are checked by their SHA-256 rather than by size and time
 * @property {boolean} retry whether what could not be had last time is tried again
 * @property {() => Promise<void>} takeTurn resolves when no other set-up on this cache directory is at work
 */

/**
 * What a step tells when it is done; '✓' in place, '–' not wanted, '!' done without, and that matters.
 *
 * @typedef {{ mark: '✓' | '–' | '!', text: string }} Outcome
 */

const flags = ['--no-redis', '--browser', '--verify', '--retry'];
/** By the names that --only takes, in their order. */
const steps = /** @type {const} */ ({
  packages: ['npm packages', installPackages],
  tensorflow: ['TensorFlow', provideTensorFlow],
  webgpu: ['WebGPU', provideWebGpu], // only where ENGINE asks for it
  redis: ['Redis', provideRedis],
  browser: ['Chromium', provideBrowser], // only with --browser
  build: ['build', buildSources],
});
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/**
 * Runs set-up and leaves its outcome in `process.exitCode`.
 *
 * @param {string[]} args
 */
export async function main(args) {
  const report = createReport(process.stdout);
  const stopping = new AbortController();
  const forget = abortOnSignals(stopping);
  /** @type {ReturnType<typeof createTurn> | null} */
  let turn = null;
  try {
    const chosen = readFlags(args);
    const root = resolve(import.meta.dirname, '../..');
    const { cacheDir, env, note } = readSurroundings(process.env, root);
    turn = createTurn(cacheDir, stopping.signal);
    const context = {
      root,
      cacheDir,
      env,
      system: readSystem(),
      signal: stopping.signal,
      verify: args.includes('--verify'),
      retry: args.includes('--retry'),
      takeTurn: turn.take,
    };
    await report.step('Node', async () => ({ mark: '✓', text: `Node ${process.versions.node}` }));
    if (note !== null) await report.step('cache', async () => ({ mark: '–', text: note }));
    for (const [name, carryOut] of chosen) await report.step(name, (activity) => carryOut(context, activity));
    stopping.signal.throwIfAborted(); // what follows set-up must not start
    report.end();
  } catch (error) {
    process.exitCode = tell(error);
  } finally {
    turn?.release();
    forget(); // what follows set-up in this process has handlers of its own
  }
}

/**
 * @param {string[]} args
 * @returns the steps to take
 * @throws {SetupFailure} at what is no flag or no step
 */
function readFlags(args) {
  const only = args.find((arg) => arg.startsWith('--only='));
  const names = only?.slice('--only='.length).split(',') ?? Object.keys(steps);
  const unknown = args.filter((arg) => arg !== only && !flags.includes(arg));
  unknown.push(...names.filter((name) => !(name in steps)));
  if (unknown.length > 0) {
    const known = [...flags, `--only=${Object.keys(steps).join(',')}`].join(', ');
    throw new SetupFailure(`expected nothing or ${known}, got ${unknown.join(' ')}`);
  }
  const isWanted = (/** @type {string} */ name) =>
    (name !== 'redis' || !args.includes('--no-redis')) &&
    (name !== 'browser' || args.includes('--browser')) &&
    (name !== 'webgpu' || process.env['ENGINE'] === 'webgpu');
  return Object.entries(steps)
    .filter(([name]) => names.includes(name) && isWanted(name))
    .map(([, step]) => step);
}

/**
 * @param {AbortController} controller
 * @returns a function that removes the handlers
 */
function abortOnSignals(controller) {
  const abort = (/** @type {NodeJS.Signals} */ signal) => controller.abort(new SetupStopped(signal));
  const signals = /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM']);
  if (process.env['IGNORE_SIGHUP'] === 'true')
    process.on('SIGHUP', () => {}); // scripts/run.mjs sets it under nohup
  else signals.push('SIGHUP');
  for (const signal of signals) process.on(signal, abort);
  return () => {
    for (const signal of signals) process.off(signal, abort);
  };
}

/**
 * Prints why set-up ended early.
 *
 * @param {unknown} error
 * @returns the exit code
 */
function tell(error) {
  if (error instanceof SetupStopped) {
    console.error(`set-up ${error.message}; the next run goes on from what is whole`);
    return exitCodes[/** @type {keyof typeof exitCodes} */ (error.signal)];
  }
  const known = error instanceof SetupFailure ? error.message : describeSystemError(error);
  console.error(known ?? error);
  return 1;
}

/**
 * @param {unknown} error
 * @returns what to do where the system refused to read or write a file, or null
 */
function describeSystemError(error) {
  if (!(error instanceof Error && 'syscall' in error)) return null;
  return (
    `expected to read and write the checkout and the downloads, but ${error.message}\n` +
    'What to do: mend that path: another user may own it (then chown -R helps), it may be no directory, or its disk\n' +
    'is full or read-only. TRAINYARD_CACHE names another directory for the downloads. Then run the command again.'
  );
}
