/**
 * The engine `webgpu`: two npm packages of 54 MB that nobody else needs, so they are not in the lock file. Fetched by
 * npm where ENGINE=webgpu asks for them, compared with the checksums below, kept in the cache directory and copied
 * into node_modules, from where they find the tfjs-core of this checkout.
 */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesUnder, checkKept, keep } from './cache.mjs';
import { run } from './command.mjs';
import { indent, SetupFailure } from './failure.mjs';
import { isMusl, readNotes, runNpm, writeNotes } from './packages.mjs';
import { ensure } from './turn.mjs';

/**
 * @typedef {object} Pinned
 * @property {string} name
 * @property {string} version
 * @property {string} integrity as npm has it: SHA-512 of the packed file
 * @property {string[]} files what is needed of it
 *
 * @typedef {import('./main.mjs').Context} Context
 * @typedef {import('./main.mjs').Outcome} Outcome
 * @typedef {import('./report.mjs').Activity} Activity
 * @typedef {{ ok: true } | { ok: false, message: string }} Result
 */

/** `webgpu` holds Dawn for every system, and its own dependencies are for its types and its build only. */
const dawnFor = `${process.platform}-${process.platform === 'darwin' ? 'universal' : process.arch}`;
const dawnsPacked = ['darwin-universal', 'linux-arm64', 'linux-x64', 'win32-arm64', 'win32-x64'];

/** @type {Pinned[]} */
const pinned = [
  {
    name: '@tensorflow/tfjs-backend-webgpu',
    version: '4.22.0',
    integrity:
      'sha512-lvIc7Af4Tl2BCdYp43iQmSCRq3asaKT0q2xaErphXiUZ+jqeB0bQa0ZvQys1Xatvto0U4/c90DVsHPfvkn5ftg==',
    files: ['package.json', 'dist/tf-backend-webgpu.node.js'],
  },
  {
    name: 'webgpu',
    version: '0.6.2',
    integrity:
      'sha512-3L4GfmqJLvYUIEWJngEQY+2HQiUlAFkg8+P8NDDj3Xx5hHHIFO/r8JW+ynfqBj7kHN4mbnwO74uB+lrRtLhp4Q==',
    files: ['package.json', 'index.js', 'LICENSE.md', `dist/${dawnFor}`],
  },
];
const packedBytes = 54_250_000;
const stalledAfterMs = 30_000;
const withinMs = 10 * 60_000;

/**
 * @param {Context} context
 * @param {Activity} activity
 * @returns {Promise<Outcome>}
 * @throws {SetupFailure} when the packages can't be had: the engine was asked for by name
 */
export async function provideWebGpu(context, activity) {
  const kept = join(context.cacheDir, 'webgpu', keyOf());
  return ensure(
    context,
    activity,
    () => findInPlace(context),
    async () => {
      const result = await keepPackages(context, activity, kept);
      if (!result.ok) refuse(result.message);
      place(context.root, kept);
      writeNotes(context.root, { webgpu: keyOf() });
      return inPlace;
    },
  );
}

const inPlace = /** @type {const} */ ({
  mark: '✓',
  text: `WebGPU: ${pinned.map(({ name, version }) => `${name.replace(/.*\//, '')} ${version}`).join(', ')}`,
});

/** Changes with all that decides what is kept. */
function keyOf() {
  const hash = createHash('sha256').update(JSON.stringify(pinned)).digest('hex');
  return `${dawnFor}-${hash.slice(0, 12)}`;
}

/**
 * @param {Context} context
 * @returns {Promise<Outcome | null>}
 */
async function findInPlace({ root, verify, signal }) {
  if (readNotes(root).webgpu !== keyOf()) return null;
  const found = await checkKept(placeIn(root), { full: verify, signal });
  return found.state === 'whole' ? inPlace : null;
}

/**
 * @param {Context} context
 * @param {Activity} activity
 * @param {string} directory
 * @returns {Promise<Result>}
 */
async function keepPackages(context, activity, directory) {
  const { signal } = context;
  const found = await checkKept(directory, { full: true, signal });
  if (found.state === 'whole') return { ok: true };
  if (!dawnsPacked.includes(dawnFor) || isMusl()) {
    const here = `${dawnFor}${isMusl() ? ' with musl' : ''}`;
    return {
      ok: false,
      message: `expected a system that Dawn is packed for (${dawnsPacked.join(', ')}), this is ${here}`,
    };
  }
  return keep(directory, signal, async (fresh) => {
    const download = join(fresh, 'download');
    const fetched = await fetchPackages(context, activity, download);
    if (!fetched.ok) return fetched;
    for (const wanted of pinned) {
      const taken = await takeFiles(context, wanted, download, join(fresh, 'node_modules', wanted.name));
      if (!taken.ok) return taken;
    }
    await rm(download, { recursive: true });
    return { ok: true };
  });
}

/**
 * From wherever npm has its packages here.
 *
 * @param {Context} context
 * @param {Activity} activity
 * @param {string} to
 * @returns {Promise<Result>}
 */
async function fetchPackages(context, activity, to) {
  await mkdir(to);
  const bytes = () => bytesUnder(to) + bytesUnder(join(context.cacheDir, 'npm/_cacache/tmp')); // it downloads there first
  activity.doing({ name: 'npm pack', bytes, total: packedBytes });
  const names = pinned.map(({ name, version }) => `${name}@${version}`);
  const how = ['--prefer-offline', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'];
  const options = { timeoutMs: withinMs, growth: { bytes, withinMs: stalledAfterMs } };
  const result = await runNpm(context, ['pack', ...names, '--pack-destination', to, ...how], options);
  return result.ok
    ? result
    : { ok: false, message: `expected npm to fetch ${names.join(' and ')}, but ${result.message}` };
}

/**
 * @param {Context} context
 * @param {Pinned} wanted
 * @param {string} download
 * @param {string} to
 * @returns {Promise<Result>}
 */
async function takeFiles({ env, signal }, { name, version, integrity, files }, download, to) {
  const packed = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
  const content = await readFile(join(download, packed));
  const got = `sha512-${createHash('sha512').update(content).digest('base64')}`;
  if (got !== integrity) {
    return { ok: false, message: `expected ${packed} to have ${integrity}, got ${got}: not used` };
  }
  await mkdir(to, { recursive: true });
  const members = files.map((file) => `package/${file}`);
  const args = ['-xzf', join(download, packed), '-C', to, '--strip-components=1', ...members];
  const result = await run('tar', args, { env, signal, timeoutMs: withinMs });
  return result.ok
    ? result
    : { ok: false, message: `expected tar to unpack ${packed}, but ${result.message}` };
}

/**
 * As files: linked from elsewhere, a package would not find the tfjs-core of this checkout.
 *
 * @param {string} root
 * @param {string} kept
 */
function place(root, kept) {
  const directory = placeIn(root);
  const fresh = `${directory}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh);
  cpSync(kept, fresh, { recursive: true, preserveTimestamps: true });
  rmSync(directory, { recursive: true, force: true }); // a process that has Dawn loaded keeps it
  renameSync(fresh, directory);
}

/** @param {string} root */
function placeIn(root) {
  return join(root, 'node_modules/.trainyard-webgpu');
}

/**
 * @param {string} message
 * @returns {never}
 */
function refuse(message) {
  throw new SetupFailure(
    `expected the packages of WebGPU, since ENGINE=webgpu, but they can't be had:\n${indent(message)}\n` +
      'What to do: mend that, then run the command again; ENGINE=auto does without them.',
  );
}
