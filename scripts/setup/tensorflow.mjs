/**
 * The engine `tensorflow`: libtensorflow and the binding of tfjs-node, kept in the cache directory since
 * `npm ci` empties node_modules, placed from there and shown to compute once. Without it wasm computes.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isPlaced, packageDirectory, place, prove, unplace } from './binding.mjs';
import { checkKept, keep, remove } from './cache.mjs';
import { indent, SetupFailure } from './failure.mjs';
import { fillFromInstaller } from './installer.mjs';
import { readNotes, writeNotes } from './packages.mjs';
import { ensure } from './turn.mjs';
import { compilerFlags, fillFromWheel, noWheelHere, wheel } from './wheel.mjs';

/**
 * One way to the libraries and the binding.
 *
 * @typedef {object} Source
 * @property {string} name
 * @property {string} directory where the cache keeps it
 * @property {() => string | null} notHere why this system can't use it, or null
 * @property {(directory: string) => Promise<Result>} fill
 *
 * @typedef {import('./main.mjs').Context} Context
 * @typedef {import('./main.mjs').Outcome} Outcome
 * @typedef {import('./report.mjs').Activity} Activity
 * @typedef {{ ok: true } | { ok: false, message: string }} Result
 * @typedef {{ ok: true, device: string } | { ok: false, message: string }} Proof
 */

/**
 * Provides the engine, or says loudly that wasm has to do.
 *
 * @param {Context} context
 * @param {Activity} activity
 * @returns {Promise<Outcome>}
 * @throws {SetupFailure} only when ENGINE=tensorflow asks for what can't be had
 */
export async function provideTensorFlow(context, activity) {
  if (context.env['ENGINE'] === 'wasm') return { mark: '–', text: 'TensorFlow not wanted: ENGINE=wasm' };
  const sources = sourcesFor(context, activity);
  return ensure(
    context,
    activity,
    () => findInPlace(context, sources),
    () => tryInOrder(context, activity, sources),
  );
}

/**
 * Best first.
 *
 * @param {Context} context
 * @param {Activity} activity
 * @returns {Source[]}
 */
function sourcesFor(context, activity) {
  const { root, cacheDir } = context;
  const bindingVersion = JSON.parse(
    readFileSync(join(packageDirectory(root), 'package.json'), 'utf8'),
  ).version;
  const headers = readFileSync(join(root, 'node_modules/node-api-headers/package.json'), 'utf8');
  const directory = (/** @type {string} */ name, /** @type {unknown[]} */ ...inputs) => {
    const key = createHash('sha256')
      .update(JSON.stringify([bindingVersion, ...inputs]))
      .digest('hex')
      .slice(0, 12);
    return join(cacheDir, 'tensorflow', `${name}-${key}`);
  };
  return [
    {
      name: `TensorFlow ${wheel.version} from its wheel`,
      directory: directory(wheel.version, wheel.sha256, compilerFlags, JSON.parse(headers).version),
      notHere: noWheelHere,
      fill: (to) => fillFromWheel(context, activity, to),
    },
    {
      name: "libtensorflow from the package's own installer",
      directory: directory('installer', process.platform, process.arch),
      notHere: () => null,
      fill: (to) => fillFromInstaller(context, activity, to),
    },
  ];
}

/**
 * The engine, when a source is whole, placed and proven with this Node; or that it was found last time that none
 * can provide it, so that a start does not wait for the same refusals again.
 *
 * @param {Context} context
 * @param {Source[]} sources
 * @returns {Promise<Outcome | null>}
 */
async function findInPlace({ root, env, signal, verify, retry }, sources) {
  const { proven = {}, missing } = readNotes(root);
  for (const { directory } of sources) {
    const device = proven[proofKey(directory)];
    if (!device) continue;
    const found = await checkKept(directory, { full: verify, signal });
    if (found.state === 'whole' && isPlaced(root, directory, found.manifest))
      return { mark: '✓', text: device };
  }
  const triedAlready = missing?.sources.join() === sources.map(({ directory }) => directory).join();
  if (missing && triedAlready && !retry && env['ENGINE'] !== 'tensorflow') return without(missing.told);
  return null;
}

/**
 * @param {Context} context
 * @param {Activity} activity
 * @param {Source[]} sources
 * @returns {Promise<Outcome>}
 */
async function tryInOrder(context, activity, sources) {
  const reasons = [];
  for (const source of sources) {
    const result = await trySource(context, activity, source);
    if (result.ok) return { mark: '✓', text: result.device };
    reasons.push(`${source.name}: ${result.message}`);
  }
  unplace(context.root);
  const told = `${indent(reasons.join('\n'))}\n    What to do: mend one of these, then run "npm run setup"`;
  if (context.env['ENGINE'] === 'tensorflow') {
    throw new SetupFailure(`expected TensorFlow, since ENGINE=tensorflow, but it can't be had:\n${told}`);
  }
  writeNotes(context.root, { missing: { sources: sources.map(({ directory }) => directory), told } });
  return without(told);
}

/**
 * @param {string} told
 * @returns {Outcome}
 */
function without(told) {
  const text = `NO TensorFlow: wasm computes, about ten times slower\n${told}; ENGINE=wasm leaves this step out.`;
  return { mark: '!', text };
}

/**
 * Keeps, places and proves one source. A kept one that does not compute is compared byte by byte, and made
 * anew if it is damaged.
 *
 * @param {Context} context
 * @param {Activity} activity
 * @param {Source} source
 * @returns {Promise<Proof>}
 */
async function trySource(context, activity, source) {
  const reason = source.notHere();
  if (reason !== null) return { ok: false, message: reason };
  const { directory } = source;
  const { signal, verify } = context;
  const before = await checkKept(directory, { full: verify, signal });
  if (before.state !== 'whole') {
    const kept = await keep(directory, signal, async (fresh) => {
      const filled = await source.fill(fresh);
      activity.doing({ name: 'checksums' });
      return filled;
    });
    if (!kept.ok) return kept;
  }
  const proof = await placeAndProve(context, activity, directory);
  if (proof.ok && before.state === 'damaged') {
    const note = `the cache was damaged (${before.message}); made anew`;
    return { ok: true, device: `${proof.device}\n${indent(note)}` };
  }
  if (proof.ok || before.state !== 'whole') return proof;
  activity.doing({ name: 'checking the cache' });
  if ((await checkKept(directory, { full: true, signal })).state === 'whole') return proof;
  await remove(directory);
  return trySource(context, activity, source);
}

/**
 * @param {Context} context
 * @param {Activity} activity
 * @param {string} directory
 * @returns {Promise<Proof>}
 */
async function placeAndProve(context, activity, directory) {
  const { root } = context;
  place(root, directory);
  activity.doing({ name: 'first computation' });
  const proof = await prove(context);
  if (proof.ok) {
    writeNotes(root, { proven: { ...readNotes(root).proven, [proofKey(directory)]: proof.device } });
  }
  return proof;
}

/** @param {string} directory */
function proofKey(directory) {
  return `${basename(directory)} Node ${process.versions.node}`;
}
