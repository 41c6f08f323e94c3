/** The npm packages of the lock file, and the notes that set-up keeps beside them. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
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
 * @property {Record<string, string>} [proven] by binding and Node version: the device the binding computed on
 * @property {string} [webgpu] which packages of WebGPU were placed last
 * @property {{ sources: string[], told: string }} [missing] why none of these could provide the engine
 */

/**
 * Runs `npm ci` unless node_modules holds what the lock file says, and shows that what it installed loads.
 *
 * @param {import('./main.mjs').Context} context
 * @param {import('./report.mjs').Activity} activity
 * @returns {Promise<import('./main.mjs').Outcome>}
 * @throws {SetupFailure} when npm fails, or leaves out a package or brings one that does not load
 */
export async function installPackages(context, activity) {
  const { root } = context;
  const check = async () => (wrongPackage(root) === null ? inPlace : null);
  return ensure(context, activity, check, async () => {
    activity.doing({ name: 'npm ci' });
    const result = await runNpm(context, ['ci', '--prefer-offline', '--no-audit', '--no-fund']);
    const wrong = wrongPackage(root);
    if (!result.ok) refuse('the packages of package-lock.json', result.message);
    if (wrong !== null) refuse(`${wrong} as package-lock.json has it`, 'it did not');
    activity.doing({ name: 'loading them' });
    await loadPackages(context);
    return inPlace;
  });
}

const inPlace = /** @type {const} */ ({ mark: '✓', text: 'npm packages' });

/**
 * @param {string} what
 * @param {string} came
 * @returns {never}
 */
function refuse(what, came) {
  throw new SetupFailure(
    `expected npm to install ${what}, but ${came}\n` +
      'What to do: mend what npm names. Else see that it is on the PATH, that it reaches its registry, and that no setting\n' +
      'keeps packages from it ("npm config list": offline, before, min-release-age). Then run the command again.',
  );
}

/**
 * Runs npm with its cache in the cache directory. How it reaches its registry is left as the user has it; settings
 * that change what is installed, and where, are overruled, whether they are in the environment or in an npmrc.
 *
 * @param {import('./main.mjs').Context} context
 * @param {string[]} args
 * @param {Partial<import('./command.mjs').Options>} [options]
 */
export function runNpm({ root, cacheDir, env, signal }, args, options) {
  const libc = process.platform === 'linux' ? [`--libc=${isMusl() ? 'musl' : 'glibc'}`] : [];
  const flags = [...npmFlags, ...libc, '--cache', join(cacheDir, 'npm')];
  const PATH = [env['PATH'], dirname(process.execPath)].join(delimiter); // where npm's first line looks for node
  return run('npm', [...args, ...flags], { cwd: root, env: { ...env, PATH }, signal, ...options });
}

const npmFlags = (
  '--include=dev --include=optional --include=peer --install-strategy=hoisted --bin-links --ignore-scripts ' +
  '--location=project --no-global --no-workspaces --no-package-lock-only --no-dry-run --no-legacy-peer-deps ' +
  `--no-engine-strict --no-usage --loglevel=error --os=${process.platform} --cpu=${process.arch}`
).split(' ');

/**
 * Loads, in a process of its own, those packages that have native parts of which one may fail on this machine. A
 * tree that fails is installed anew by the next set-up.
 *
 * @param {import('./main.mjs').Context} context
 * @throws {SetupFailure} with the package that does not load and why
 */
async function loadPackages({ root, env, signal }) {
  const args = ['--input-type=module', '-e', loader];
  const result = await run(process.execPath, args, { cwd: root, env, signal });
  if (result.ok) return;
  rmSync(installedLock(root));
  throw new SetupFailure(
    `expected the packages that npm installed to load, but ${result.message}\n` +
      'What to do: see whether the package named above supports this system, then run the command again.',
  );
}

/** esbuild starts its program only when it has something to do; vite loads rolldown. */
const loader = `
  for (const name of ['sharp', 'vite', 'esbuild']) {
    try {
      const { transform } = await import(name);
      if (name === 'esbuild') await transform('');
    } catch (error) {
      console.error('the package ' + name + ' does not load: ' + error.message);
      process.exit(1);
    }
  }
`;

/**
 * Compares the tree that npm noted down, and what is there of it, with package-lock.json. Packages for other
 * platforms are never missing.
 *
 * @param {string} root
 * @returns the path of a package that is missing, of another version or left over, or null
 */
function wrongPackage(root) {
  const installed = readLock(installedLock(root)) ?? {};
  const { '': _, ...wanted } = readLock(wantedLock(root)) ?? {};
  const isThere = (/** @type {string} */ path) => existsSync(join(root, path, 'package.json'));
  const isWrong = (/** @type {string} */ path) => {
    const [found, locked] = [installed[path], wanted[path]];
    if (!found) return !locked?.optional || isForHere(locked);
    return found.version !== locked?.version || found.integrity !== locked?.integrity || !isThere(path);
  };
  return Object.keys({ ...installed, ...wanted }).find(isWrong) ?? null;
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

/**
 * Alpine and its like, whose C library neither libtensorflow nor half of the prebuilt packages can use. Asked of
 * this Node: Debian may have musl's files as well.
 */
export function isMusl() {
  if (process.platform !== 'linux') return false;
  const { header } = /** @type {{ header: object }} */ (process.report.getReport());
  return !('glibcVersionRuntime' in header);
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
