/**
 * libtensorflow out of the Python wheel, which is where it ships since 2.19, and the tfjs-node binding compiled
 * against it. The compiler is called directly: node-gyp would download Node's headers, which the package
 * node-api-headers has.
 */
import { mkdir, rm, statfs, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { bindingName, packageDirectory } from './binding.mjs';
import { bytesUnder, sha256Of } from './cache.mjs';
import { findCommand, run } from './command.mjs';
import { isMusl } from './packages.mjs';
import { fetchFiles } from './pip.mjs';
import { aptInstall, installCommand, mayInstall } from './system.mjs';

/**
 * The wheels that libtensorflow comes in; of one whose SHA-256 is known, no other is used.
 *
 * @typedef {object} Wheel
 * @property {string} version
 * @property {string} requirement what pip is asked for
 * @property {string | null} sha256 of the file that pip fetches
 * @property {string | null} extra whose requirements, wheels of shared libraries, are fetched as well
 * @property {number} bytes of the downloads
 * @property {number} unpackedBytes of what is kept
 */

/** A new version gets a new directory in the cache. @type {Record<'cpu' | 'cuda', Wheel>} */
export const wheels = {
  cpu: {
    version: '2.21.0',
    requirement: 'tensorflow-cpu==2.21.0',
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    extra: null,
    bytes: 273_829_956,
    unpackedBytes: 853_000_000,
  },
  /** With CUDA 12 and cuDNN 9 beside it, in the versions that TensorFlow itself names. */
  cuda: {
    version: '2.21.0',
    requirement: 'tensorflow==2.21.0',
    sha256: null,
    extra: 'and-cuda',
    bytes: 3e9, // about
    unpackedBytes: 7e9,
  },
};
const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
export const headers = [
  ...['c_api', 'c_api_macros', 'tf_attrtype', 'tf_buffer', 'tf_datatype', 'tf_status', 'tf_tensor'].map(
    (name) => `tensorflow/c/${name}.h`,
  ),
  'tensorflow/c/tf_tstring.h',
  'tensorflow/c/eager/c_api.h',
  'tensorflow/core/platform/ctstring.h',
  'tensorflow/core/platform/ctstring_internal.h',
  'tsl/platform/ctstring.h',
  'tsl/platform/ctstring_internal.h',
  'xla/tsl/c/tsl_status.h',
];

export const compilerFlags = ['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8'];
const requirementsReader = join(import.meta.dirname, 'requirements.py');

/**
 * Reads [wheel, target, [from, to], …] as JSON and copies each file out, or, where `from` ends in a slash, all files
 * under it; zipfile compares the checksums.
 */
const extractor = `
import json, os, shutil, sys, zipfile
wheel, target, *members = json.loads(sys.argv[1])
with zipfile.ZipFile(wheel) as archive:
    for source, name in members:
        inside = [one for one in archive.namelist() if one.startswith(source) and not one.endswith('/')]
        for one in inside if source.endswith('/') else [source]:
            path = os.path.join(target, name + one[len(source):])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with archive.open(one) as packed, open(path, 'wb') as file:
                shutil.copyfileobj(packed, file, 1 << 20)
`;

/**
 * @typedef {import('./main.mjs').Context} Context
 * @typedef {import('./report.mjs').Activity} Activity
 * @typedef {{ ok: true } | { ok: false, message: string }} Result
 */

/** Why there is no pinned wheel for this system, or null. */
export function noWheelHere() {
  if (process.platform === 'linux' && process.arch === 'x64' && !isMusl()) return null;
  const here = `${process.platform} ${process.arch}${isMusl() ? ' with musl' : ''}`;
  return `expected x86-64 Linux with glibc, which the pinned wheel is for, this is ${here}`;
}

/**
 * Fills a directory with deps/include, deps/lib, with CUDA deps/nvidia, and the binding. deps/variant says which it is.
 *
 * @param {Context} context
 * @param {Activity} activity
 * @param {Wheel} wheel
 * @param {string} directory
 * @returns {Promise<Result>}
 */
export async function fillFromWheel(context, activity, wheel, directory) {
  const tools = await findTools(context, activity);
  if (!tools.ok) return tools;
  const room = await checkRoom(wheel, directory);
  if (!room.ok) return room;
  const [download, deps] = [join(directory, 'download'), join(directory, 'deps')];
  const fetched = await fetchWheels(context, activity, tools.python, wheel, download);
  if (!fetched.ok) return fetched;
  const extracted = await extract(context, activity, tools.python, wheel, fetched.paths, deps);
  await rm(download, { recursive: true });
  if (!extracted.ok) return extracted;
  await writeFile(join(deps, 'variant'), wheel.extra === null ? 'cpu' : 'cuda');
  return compile(context, activity, tools.compiler, directory);
}

/**
 * A C++ compiler and a Python with pip, installed where set-up may.
 *
 * @param {Context} context
 * @param {Activity} activity
 * @returns {Promise<{ ok: true, compiler: string, python: string } | { ok: false, message: string }>}
 */
async function findTools(context, activity) {
  let tools = await lookForTools(context);
  if (tools.missing.length > 0 && mayInstall(context.system)) {
    activity.doing({ name: `apt-get install, ${tools.missing.join(' and ')}` });
    const installed = await aptInstall(context, tools.missing);
    if (!installed.ok) return installed;
    tools = await lookForTools(context);
  }
  const { compiler, python, missing } = tools;
  if (compiler && python) return { ok: true, compiler, python };
  const names = { compiler: 'g++', pip: 'python3 with pip', redis: '', browser: '' };
  const message = `expected ${missing.map((need) => names[need]).join(' and ')} on the PATH, found none; run: ${installCommand(context.system, missing)}`;
  return { ok: false, message };
}

/** @param {Context} context */
async function lookForTools({ env, signal }) {
  const compiler = findCommand(env, 'g++');
  let python = null;
  for (const candidate of [findCommand(env, 'python3'), findCommand({ PATH: '/usr/bin' }, 'python3')]) {
    if (!candidate || python) continue;
    const pip = await run(candidate, ['-m', 'pip', '--version'], { env, signal, timeoutMs: 30_000 });
    if (pip.ok) python = candidate;
  }
  const missing = /** @type {import('./system.mjs').Need[]} */ ([]);
  if (!compiler) missing.push('compiler');
  if (!python) missing.push('pip');
  return { compiler, python, missing };
}

/**
 * @param {Wheel} wheel
 * @param {string} directory
 * @returns {Promise<Result>}
 */
async function checkRoom(wheel, directory) {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  const needed = wheel.bytes + wheel.unpackedBytes + 100e6;
  if (free >= needed) return { ok: true };
  const message = `expected ${gigabytes(needed)} GB free in the cache directory, got ${gigabytes(free)} GB; free some or set TRAINYARD_CACHE to another disk`;
  return { ok: false, message };
}

/** @param {number} bytes */
function gigabytes(bytes) {
  return (bytes / 1e9).toFixed(1);
}

/**
 * The wheel itself first, then those that its extra requires.
 *
 * @param {Context} context
 * @param {Activity} activity
 * @param {string} python
 * @param {Wheel} wheel
 * @param {string} directory
 * @returns {Promise<{ ok: true, paths: [string, ...string[]] } | { ok: false, message: string }>}
 */
async function fetchWheels(context, activity, python, { requirement, sha256, extra, bytes }, directory) {
  const { env, signal } = context;
  await mkdir(directory);
  activity.doing({ name: 'download', bytes: () => bytesUnder(directory), total: bytes });
  const own = await fetchFiles(context, python, [requirement], directory);
  if (!own.ok) return own;
  const [path] = own.paths;
  if (sha256 !== null) {
    activity.doing({ name: 'checking the download' });
    const got = await sha256Of(path, signal);
    if (got === sha256) return own;
    const name = basename(path);
    return { ok: false, message: `expected ${name} to have SHA-256 ${sha256}, got ${got}: not used` };
  }
  if (extra === null) return own;
  const named = await run(python, [requirementsReader, path, extra], { env, signal });
  if (!named.ok)
    return { ok: false, message: `expected ${basename(path)} to be a wheel, but ${named.message}` };
  const requirements = named.stdout.split('\n').filter((line) => line !== '');
  if (requirements.length === 0)
    return { ok: false, message: `expected ${basename(path)} to have "${extra}"` };
  const beside = await fetchFiles(context, python, requirements, join(directory, extra));
  return beside.ok ? { ok: true, paths: [path, ...beside.paths] } : beside;
}

/**
 * @param {Context} context
 * @param {Activity} activity
 * @param {string} python
 * @param {Wheel} wheel
 * @param {[string, ...string[]]} paths its file and those beside it
 * @param {string} deps
 * @returns {Promise<Result>}
 */
async function extract({ env, signal }, activity, python, wheel, [path, ...beside], deps) {
  activity.doing({ name: 'unpacking', bytes: () => bytesUnder(deps), total: wheel.unpackedBytes });
  const own = [
    ...libraries.map((name) => [`tensorflow/${name}`, `lib/${name}`]),
    ...headers.map((name) => [`tensorflow/include/${name}`, `include/${name}`]),
  ];
  // Side by side, as in Python's site-packages: the libraries look for CUDA's in ../nvidia.
  const tasks = [[path, deps, ...own], ...beside.map((one) => [one, deps, ['nvidia/', 'nvidia/']])];
  for (const task of tasks) {
    const result = await run(python, ['-c', extractor, JSON.stringify(task)], { env, signal });
    if (!result.ok) return { ok: false, message: `expected the wheel to unpack, but ${result.message}` };
  }
  await symlink('libtensorflow_cc.so.2', join(deps, 'lib/libtensorflow.so'));
  await symlink('libtensorflow_framework.so.2', join(deps, 'lib/libtensorflow_framework.so'));
  return { ok: true };
}

/**
 * @param {Context} context
 * @param {Activity} activity
 * @param {string} compiler
 * @param {string} directory
 * @returns {Promise<Result>}
 */
async function compile({ root, env, signal }, activity, compiler, directory) {
  activity.doing({ name: 'compiling the binding' });
  const binding = join(packageDirectory(root), 'binding');
  const include = [join(root, 'node_modules/node-api-headers/include'), join(directory, 'deps/include')];
  const args = [
    ...compilerFlags,
    ...include.flatMap((path) => ['-I', path]),
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(binding, name)),
    `-L${join(directory, 'deps/lib')}`,
    '-ltensorflow',
    '-ltensorflow_framework',
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
    '-o',
    join(directory, bindingName),
  ];
  const result = await run(compiler, args, { env: { ...env, TMPDIR: directory }, signal });
  return result.ok
    ? result
    : { ok: false, message: `expected the binding to compile, but ${result.message}` };
}
