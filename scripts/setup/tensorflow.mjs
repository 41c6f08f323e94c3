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
import { wantedVariant } from './variant.mjs';
import { compilerFlags, fillFromWheel, noWheelHere, wheels } from './wheel.mjs';

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
 * @throws {SetupFailure} only when ENGINE=tensorflow or TENSORFLOW ask for what can't be had
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
 * Best first. A variant that is named has no second.
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
  const fromWheel = (/** @type {'cpu' | 'cuda'} */ variant) => {
    const { version, sha256, ...rest } = wheels[variant];
    const key = [version, sha256, compilerFlags, JSON.parse(headers).version];
    return {
      name: `TensorFlow ${version} from its wheel${variant === 'cuda' ? 's, with CUDA' : ''}`,
      directory: directory(variant === 'cuda' ? `${version}-cuda` : version, ...key),
      notHere: noWheelHere,
      fill: (/** @type {string} */ to) => fillFromWheel(context, activity, { ...rest, version, sha256 }, to),
    };
  };
  const stock = {
    name: "libtensorflow from the package's own installer",
    directory: directory('installer', process.platform, process.arch),
    notHere: () => null,
    fill: (/** @type {string} */ to) => fillFromInstaller(context, activity, to),
  };
  const { variant, isNamed } = wantedVariant(context.env);
  if (isNamed) return [variant === 'stock' ? stock : fromWheel(variant)];
  return [...(variant === 'cuda' ? [fromWheel('cuda')] : []), fromWheel('cpu'), stock];
}

/**
 * The engine, when the best source that did not fail last time is whole, placed and proven with this Node; or that
 * none can provide it, so that a start does not wait for the same refusals again.
 *
 * @param {Context} context
 * @param {Source[]} sources
 * @returns {Promise<Outcome | null>}
 */
async function findInPlace({ root, env, signal, verify, retry }, sources) {
  const { proven = {}, missing } = readNotes(root);
  const failed = retry ? [] : (missing?.sources ?? []);
  const best = sources.find(({ directory }) => !failed.includes(directory));
  if (!best) return isDemanded(env) ? null : without(missing?.told ?? '');
  const device = proven[proofKey(best.directory)];
  if (!device) return null;
  const found = await checkKept(best.directory, { full: verify, signal });
  const isReady = found.state === 'whole' && isPlaced(root, best.directory, found.manifest);
  return isReady ? { mark: '✓', text: device } : null;
}

/**
 * @param {Context} context
 * @param {Activity} activity
 * @param {Source[]} sources
 * @returns {Promise<Outcome>}
 */
async function tryInOrder(context, activity, sources) {
  const failed = [];
  const reasons = [];
  for (const source of sources) {
    const result = await trySource(context, activity, source);
    const told = indent(reasons.join('\n'));
    if (result.ok) {
      writeNotes(context.root, { missing: { sources: failed, told } });
      if (failed.length === 0) return { mark: '✓', text: result.device };
      return { mark: '!', text: `${result.device}: what comes before it can't be had\n${told}` };
    }
    failed.push(source.directory);
    reasons.push(`${source.name}: ${result.message}`);
  }
  unplace(context.root);
  const told = `${indent(reasons.join('\n'))}\n    What to do: mend one of these, then run "npm run setup"`;
  if (isDemanded(context.env)) {
    const { ENGINE, TENSORFLOW } = context.env;
    const asked = TENSORFLOW ? `TENSORFLOW=${TENSORFLOW}` : `ENGINE=${ENGINE}`;
    throw new SetupFailure(`expected TensorFlow, since ${asked}, but it can't be had:\n${told}`);
  }
  writeNotes(context.root, { missing: { sources: failed, told } });
  return without(told);
}

/**
 * Whether set-up fails without it, rather than leaving wasm.
 *
 * @param {NodeJS.ProcessEnv} env
 */
function isDemanded(env) {
  return env['ENGINE'] === 'tensorflow' || Boolean(env['TENSORFLOW']);
}

/**
 * @param {string} told
 * @returns {Outcome}
 */
function without(told) {
  const text = `NO TensorFlow: wasm computes, about five times slower\n${told}; ENGINE=wasm leaves this step out.`;
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
