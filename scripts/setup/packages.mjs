/** The npm packages of the lock file, and the notes that set-up keeps beside them. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { SetupFailure } from './failure.mjs';
import { ensure } from './turn.mjs';

/**
 * @typedef {object} LockedPackage
 * @property {string} [version]
 * @property {string} [integrity]
 * @property {boolean} [optional]
 * @property {string[]} [os]
 * @property {string[]} [cpu]
 * @property {string[]} [libc]
 *
 * @typedef {Record<string, LockedPackage>} Packages by path, 'node_modules/zod'
 *
 * @typedef {object} Notes kept inside node_modules, so that they go when it goes
 * @property {string} [packages] digest of what was compared, when both lock files said the same
 * @property {Record<string, string>} [proven] by binding and Node version: the device the binding computed on
 * @property {string} [webgpu] which packages of WebGPU were placed last
 * @property {{ sources: string[], told: string }} [missing] why none of these could provide the engine
 */

/**
 * Runs `npm ci` unless node_modules holds what the lock file says.
 *
 * @param {import('./main.mjs').Context} context
 * @param {import('./report.mjs').Activity} activity
 * @returns {Promise<import('./main.mjs').Outcome>}
 * @throws {SetupFailure} when npm fails
 */
export async function installPackages(context, activity) {
  const { root } = context;
  const check = async () => {
    const digest = stateDigest(root);
    if (digest !== null && readNotes(root).packages === digest) return inPlace;
    if (!packagesInLine(root)) return null;
    writeNotes(root, { packages: digest ?? '' });
    return inPlace;
  };
  return ensure(context, activity, check, async () => {
    activity.doing({ name: 'npm ci' });
    await npmCi(context);
    writeNotes(root, { packages: stateDigest(root) ?? '' });
    return inPlace;
  });
}

const inPlace = /** @type {const} */ ({ mark: '✓', text: 'npm packages' });

/** @param {import('./main.mjs').Context} context */
async function npmCi({ root, cacheDir, env, signal }) {
  const args = ['ci', '--include=dev', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  const cache = ['--cache', join(cacheDir, 'npm')];
  const result = await run('npm', [...args, ...cache], { cwd: root, env, signal });
  if (result.ok) return;
  throw new SetupFailure(
    `expected npm to install the packages of package-lock.json, but ${result.message}\n` +
      'What to do: see that npm is on the PATH and reaches its registry, then run the command again.',
  );
}

/**
 * Both lock files and the platform in one digest; null without an installation.
 *
 * @param {string} root
 */
function stateDigest(root) {
  const installed = installedLock(root);
  if (!existsSync(installed)) return null;
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  return hash
    .update(readFileSync(wantedLock(root)))
    .update(readFileSync(installed))
    .digest('hex');
}

/**
 * Whether the tree that npm noted down is that of package-lock.json and is there: no package is missing, of
 * another version or left over. Packages for other platforms are never missing.
 *
 * @param {string} root
 */
function packagesInLine(root) {
  const installed = readLock(installedLock(root));
  if (installed === null) return false;
  const { '': _, ...wanted } = readLock(wantedLock(root)) ?? {};
  const paths = Object.keys(installed);
  return (
    paths.every((path) => wanted[path] && existsSync(join(root, path, 'package.json'))) &&
    Object.entries(wanted).every(([path, locked]) => {
      const found = installed[path];
      if (!found) return locked.optional && !isForHere(locked);
      return found.version === locked.version && found.integrity === locked.integrity;
    })
  );
}

/**
 * An optional package that names no platform may be left out for reasons of its own.
 *
 * @param {LockedPackage} locked
 */
function isForHere({ os, cpu, libc }) {
  if (!os && !cpu) return false;
  return fits(os, process.platform) && fits(cpu, process.arch) && fits(libc, isMusl() ? 'musl' : 'glibc');
}

/**
 * @param {string[] | undefined} list
 * @param {string} own
 */
function fits(list, own) {
  return !list || list.includes(own);
}

/** Alpine and its like, whose C library neither libtensorflow nor half of the prebuilt packages can use. */
export function isMusl() {
  return process.platform === 'linux' && readdirSync('/lib').some((name) => name.startsWith('ld-musl-'));
}

/** @param {string} root */
function wantedLock(root) {
  return join(root, 'package-lock.json');
}

/** @param {string} root */
function installedLock(root) {
  return join(root, 'node_modules/.package-lock.json');
}

/**
 * @param {string} path
 * @returns {Packages | null}
 */
function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? null;
  } catch {
    return null; // missing or torn
  }
}

/**
 * @param {string} root
 * @returns {Notes}
 */
export function readNotes(root) {
  try {
    return JSON.parse(readFileSync(notesPath(root), 'utf8'));
  } catch {
    return {}; // missing or torn: everything is checked again
  }
}

/**
 * Adds to the notes.
 *
 * @param {string} root
 * @param {Notes} notes
 */
export function writeNotes(root, notes) {
  const path = notesPath(root);
  writeFileSync(`${path}.${process.pid}`, JSON.stringify({ ...readNotes(root), ...notes }, null, 2));
  renameSync(`${path}.${process.pid}`, path);
}

/** @param {string} root */
function notesPath(root) {
  return join(root, 'node_modules/.trainyard.json');
}
