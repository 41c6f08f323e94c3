/**
 * libtensorflow out of the Python wheel, which is where it ships since 2.19, and the tfjs-node binding compiled
 * against it. The compiler is called directly: node-gyp would download Node's headers, which the package
 * node-api-headers has.
 */
import { mkdir, readdir, rm, statfs, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { bindingName, packageDirectory } from './binding.mjs';
import { bytesUnder, sha256Of } from './cache.mjs';
import { findCommand, run } from './command.mjs';
import { isMusl } from './packages.mjs';
import { aptInstall, installCommand, mayInstall } from './system.mjs';

/** A new version gets a new directory in the cache; its SHA-256 is that of the file which pip fetches. */
export const wheel = {
  version: '2.21.0',
  sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
  bytes: 273_829_956,
  requirement: 'tensorflow-cpu==2.21.0',
  // Whatever Python is here: only its files are wanted.
  tags: ['--python-version', '3.11', '--platform', 'manylinux_2_27_x86_64'],
};

const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
const librariesBytes = 853_000_000;
const headers = [
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
const stalledAfterMs = 30_000;
const wheelWithinMs = 15 * 60_000;

/** Reads [wheel, target, [from, to], …] as JSON and copies each file out; zipfile compares the checksums. */
const extractor = `
import json, os, shutil, sys, zipfile
wheel, target, *members = json.loads(sys.argv[1])
with zipfile.ZipFile(wheel) as archive:
    for source, name in members:
        path = os.path.join(target, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(source) as packed, open(path, 'wb') as file:
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
 * Fills a directory with deps/include, deps/lib and the binding.
 *
 * @param {Context} context
 * @param {Activity} activity
 * @param {string} directory
 * @returns {Promise<Result>}
 */
export async function fillFromWheel(context, activity, directory) {
  const tools = await findTools(context, activity);
  if (!tools.ok) return tools;
  const room = await checkRoom(directory);
  if (!room.ok) return room;
  const download = join(directory, 'download');
  const fetched = await fetchWheel(context, activity, tools.python, download);
  if (!fetched.ok) return fetched;
  const extracted = await extract(context, activity, tools.python, fetched.path, join(directory, 'deps'));
  await rm(download, { recursive: true });
  if (!extracted.ok) return extracted;
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
  const names = { compiler: 'g++', pip: 'python3 with pip', redis: '' };
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
 * @param {string} directory
 * @returns {Promise<Result>}
 */
async function checkRoom(directory) {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  const needed = wheel.bytes + librariesBytes + 100e6;
  if (free >= needed) return { ok: true };
  const message = `expected ${gigabytes(needed)} GB free in the cache directory, got ${gigabytes(free)} GB; free some or set TRAINYARD_CACHE to another disk`;
  return { ok: false, message };
}

/** @param {number} bytes */
function gigabytes(bytes) {
  return (bytes / 1e9).toFixed(1);
}

/**
 * @param {Context} context
 * @param {Activity} activity
 * @param {string} python
 * @param {string} directory
 * @returns {Promise<{ ok: true, path: string } | { ok: false, message: string }>}
 */
async function fetchWheel({ env, signal }, activity, python, directory) {
  await mkdir(directory);
  const bytes = () => bytesUnder(directory);
  activity.doing({ name: 'download', bytes, total: wheel.bytes });
  const what = [wheel.requirement, '--no-deps', '--only-binary=:all:', ...wheel.tags, '-d', directory];
  const how = ['--no-cache-dir', '--timeout', '15', '--retries', '1', '--progress-bar', 'off', '--quiet'];
  const result = await run(python, ['-m', 'pip', 'download', ...what, ...how], {
    env: { ...env, TMPDIR: directory }, // pip downloads there before it moves
    signal,
    timeoutMs: wheelWithinMs,
    growth: { bytes, withinMs: stalledAfterMs },
  });
  if (!result.ok)
    return { ok: false, message: `expected pip to fetch ${wheel.requirement}, but ${result.message}` };
  const name = (await readdir(directory)).find((entry) => entry.endsWith('.whl'));
  if (!name) return { ok: false, message: `expected pip to leave a wheel, it left none: ${result.stdout}` };
  activity.doing({ name: 'checking the download' });
  const path = join(directory, name);
  const sha256 = await sha256Of(path, signal);
  if (sha256 === wheel.sha256) return { ok: true, path };
  return { ok: false, message: `expected ${name} to have SHA-256 ${wheel.sha256}, got ${sha256}: not used` };
}

/**
 * @param {Context} context
 * @param {Activity} activity
 * @param {string} python
 * @param {string} path of the wheel
 * @param {string} deps
 * @returns {Promise<Result>}
 */
async function extract({ env, signal }, activity, python, path, deps) {
  activity.doing({ name: 'unpacking', bytes: () => bytesUnder(deps), total: librariesBytes });
  const members = [
    ...libraries.map((name) => [`tensorflow/${name}`, `lib/${name}`]),
    ...headers.map((name) => [`tensorflow/include/${name}`, `include/${name}`]),
  ];
  const result = await run(python, ['-c', extractor, JSON.stringify([path, deps, ...members])], {
    env,
    signal,
  });
  if (!result.ok) return { ok: false, message: `expected the wheel to unpack, but ${result.message}` };
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
