/** The npm packages of package-lock.json, how npm is run, and the notes that set-up keeps in node_modules. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { run, runOrFail } from './command.mjs';
import { SetupFailure } from './failure.mjs';

/** @typedef {import('./tensorflow.mjs').Note} Note what TensorFlow came to */
/** @typedef {{ packages?: string, webgpu?: string, tensorflow?: Note | undefined }} Notes digests of lock files */

const inPlace = /** @type {const} */ ({ mark: '✓', text: 'npm packages' });

/** `npm ci` when the lock file has changed or a package is gone. @type {import('./main.mjs').Step} */
export const packages = {
  title: 'npm packages',
  async check({ root }) {
    return readNotes(root).packages === lockDigest(root) && missingPackage(root) === null ? inPlace : null;
  },
  async make(context) {
    const { root, env, signal, doing } = context;
    doing('npm ci');
    rmSync(notesPath(root), { force: true }); // npm empties node_modules
    const result = await runNpm(context, []);
    if (!result.ok) refuse('the packages of package-lock.json', result.message);
    const missing = missingPackage(root);
    if (missing !== null) refuse(`${missing} as package-lock.json has it`, 'it did not');
    doing('loading them');
    const args = ['--input-type=module', '-e', loader];
    const options = { cwd: root, env, signal };
    const advice = 'see whether the package named above supports this system';
    await runOrFail('the packages that npm installed to load', process.execPath, args, options, advice);
    writeNotes(root, { packages: lockDigest(root) });
    return inPlace;
  },
};

/** Loads what has native parts: vite loads rolldown, esbuild starts its program when it is used. */
const loader = `
  for (const name of ['sharp', 'vite', 'esbuild']) {
    const loaded = import(name).then(({ transform }) => name === 'esbuild' && transform(''));
    await loaded.catch((error) => {
      console.error('the package ' + name + ' does not load: ' + error.message);
      process.exit(1);
    });
  }
`;

/** @type {(what: string, came: string) => never} */
function refuse(what, came) {
  throw new SetupFailure(
    `expected npm to install ${what}, but ${came}\n` +
      'What to do: mend what npm names. Else see that it is on the PATH, that it reaches its registry, and that no setting\n' +
      'keeps packages from it ("npm config list": offline, before, min-release-age). Then run the command again.',
  );
}

const npmFlags = (
  '--no-audit --no-fund --loglevel=error --prefer-offline --include=dev --include=optional --include=peer ' +
  '--install-strategy=hoisted --bin-links --ignore-scripts --location=project --no-global --no-workspaces --no-package-lock-only --no-dry-run ' +
  `--no-legacy-peer-deps --no-engine-strict --no-usage --os=${process.platform} --cpu=${process.arch}`
).split(' ');

/**
 * Runs `npm ci` with its cache in the cache directory. How it reaches its registry is left as the user has it; settings
 * that change what is installed, and where, are overruled, whether they are in the environment or in an npmrc.
 *
 * @type {(context: import('./main.mjs').Context, args: string[], timeoutMs?: number) => ReturnType<typeof run>}
 */
export function runNpm({ root, cacheDir, env, signal }, args, timeoutMs = 3_600_000) {
  const libc = process.platform === 'linux' ? [`--libc=${isMusl() ? 'musl' : 'glibc'}`] : [];
  const PATH = [env['PATH'], dirname(process.execPath)].join(delimiter); // where npm's first line looks for node
  const all = ['ci', ...npmFlags, ...libc, ...args, '--cache', join(cacheDir, 'npm')];
  return run('npm', all, { cwd: root, env: { ...env, PATH }, signal, timeoutMs });
}

/** Changes with all that decides what npm installs. @param {string} folder has the lock file */
export function lockDigest(folder) {
  const lock = readFileSync(join(folder, 'package-lock.json'));
  const system = `${process.platform} ${process.arch} Node ${process.versions.modules}`;
  return createHash('sha256').update(lock).update(system).digest('hex');
}

/** @type {(folder: string) => string | null} a path that its lock file requires or npm had installed, and that is gone */
export function missingPackage(folder) {
  const installed = join(folder, 'node_modules/.package-lock.json'); // npm's own
  if (!existsSync(installed)) return 'node_modules';
  const read = (/** @type {string} */ path) =>
    Object.entries(JSON.parse(readFileSync(path, 'utf8')).packages);
  const locked = read(join(folder, 'package-lock.json')).filter(([, { optional }]) => !optional);
  const paths = [...locked, ...read(installed)].map(([path]) => path);
  return paths.find((path) => !existsSync(join(folder, path, 'package.json'))) ?? null;
}

/** Whether the C library is musl (Alpine), which neither libtensorflow nor half of the prebuilt packages can use. */
export function isMusl() {
  const { header } = /** @type {{ header: object }} */ (process.report.getReport()); // Debian may have musl's files as well
  return process.platform === 'linux' && !('glibcVersionRuntime' in header);
}

const notesPath = (/** @type {string} */ root) => join(root, 'node_modules/.trainyard.json');

/** @type {(root: string) => Notes} */
export function readNotes(root) {
  try {
    return JSON.parse(readFileSync(notesPath(root), 'utf8'));
  } catch {
    return {}; // missing or torn: everything is checked again
  }
}

/** @type {(root: string, notes: Notes) => void} adds to them */
export function writeNotes(root, notes) {
  writeFileSync(`${notesPath(root)}.new`, JSON.stringify({ ...readNotes(root), ...notes }, null, 2));
  renameSync(`${notesPath(root)}.new`, notesPath(root));
}
