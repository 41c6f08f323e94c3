/**
 * libtensorflow out of the Python wheel, which is where it ships since 2.19, and the tfjs-node binding compiled
 * against it. The compiler is called directly: node-gyp would download Node's headers, which the package
 * node-api-headers has.
 */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rename, rm, statfs, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { bindingFile, packageDirectory } from './binding.mjs';
import { sha256Of } from './cache.mjs';
import { findCommand, run, runOrFail } from './command.mjs';
import { SetupFailure } from './failure.mjs';
import { isMusl } from './packages.mjs';
import { aptInstall, installCommand, mayInstall } from './system.mjs';

/**
 * What pip is asked for. Where the SHA-256 is known, no other file is used; with an extra, the wheels of shared libraries
 * that it requires are fetched as well. Sizes are those of the downloads and of what is kept.
 *
 * @typedef {{ requirement: string, sha256?: string, extra?: string, bytes: number, unpackedBytes: number }} Wheel
 * @typedef {import('./main.mjs').Context} Context
 */

export const version = '2.21.0';
/** @type {Record<'cpu' | 'cuda', Wheel>} */
export const wheels = {
  cpu: {
    requirement: `tensorflow-cpu==${version}`,
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    bytes: 273_829_956,
    unpackedBytes: 853_000_000,
  },
  /** With CUDA 12 and cuDNN 9 beside it, in the versions that TensorFlow itself names. */
  cuda: { requirement: `tensorflow==${version}`, extra: 'and-cuda', bytes: 3e9, unpackedBytes: 7e9 },
};

/** What is taken out of the wheels: paths begin with one of these. */
const wanted = (
  'tensorflow/libtensorflow_cc.so.2 tensorflow/libtensorflow_framework.so.2 tensorflow/include/tensorflow/c/ ' +
  'tensorflow/include/xla/tsl/c/ tensorflow/include/tensorflow/core/platform/ctstring ' +
  'tensorflow/include/tsl/platform/ctstring nvidia/'
).split(' ');
const linkerFlags = '-ltensorflow -ltensorflow_framework -Wl,-rpath,$ORIGIN/../../deps/lib'.split(' ');
export const compilerFlags = ['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8'];
const platforms = ['manylinux_2_27', 'manylinux_2_17', 'manylinux2014', 'manylinux1'];
const pipFlags = (
  '--no-deps --only-binary=:all: --python-version 3.11 --implementation cp --no-cache-dir --timeout 15 --retries 1 ' +
  `--progress-bar off --quiet ${platforms.map((name) => `--platform ${name}_x86_64`).join(' ')}`
).split(' ');

/** @type {(context: Context, wheel: Wheel, directory: string) => Promise<void>} makes lib/ and deps/, see `parts` */
export async function fillFromWheel(context, wheel, directory) {
  if (process.platform !== 'linux' || process.arch !== 'x64' || isMusl()) {
    const here = `this is ${process.platform} ${process.arch}${isMusl() ? ' with musl' : ''}`;
    throw new SetupFailure(`expected x86-64 Linux with glibc, which the pinned wheel is for, ${here}`);
  }
  const { compiler, python } = await findTools(context);
  const { bavail, bsize } = await statfs(directory);
  const [free, needed] = [bavail * bsize, wheel.bytes + wheel.unpackedBytes + 100e6];
  if (free < needed) {
    const [expected, got] = [needed, free].map((bytes) => `${(bytes / 1e9).toFixed(1)} GB`);
    const advice = 'free some or set TRAINYARD_CACHE to another disk';
    throw new SetupFailure(`expected ${expected} free in the cache directory, got ${got}; ${advice}`);
  }
  const [downloads, deps] = [join(directory, 'download'), join(directory, 'deps')];
  context.doing(`downloading ${Math.round(wheel.bytes / 1e6)} MB`);
  const paths = await fetchWheels(context, python, wheel, downloads);
  context.doing('unpacking');
  for (const path of paths) {
    const args = [join(import.meta.dirname, 'extract.py'), path, deps, ...wanted];
    await runOrFail('the wheel to unpack', python, args, context);
  }
  await rm(downloads, { recursive: true });
  await rename(join(deps, 'tensorflow'), join(deps, 'lib')); // the libraries look for CUDA's in ../nvidia
  await symlink('libtensorflow_cc.so.2', join(deps, 'lib/libtensorflow.so')); // as the linker calls them
  await symlink('libtensorflow_framework.so.2', join(deps, 'lib/libtensorflow_framework.so'));
  await writeFile(join(deps, 'variant'), wheel.extra ? 'cuda' : 'cpu');
  await compile(context, compiler, directory);
  await rm(join(deps, 'lib/include'), { recursive: true });
}

/** @param {Context} context @returns a C++ compiler and a Python with pip, installed where set-up may */
async function findTools(context, mayAsk = mayInstall(context.system)) {
  const { env, signal, system } = context;
  const compiler = findCommand(env, 'g++');
  let python = null;
  for (const found of [findCommand(env, 'python3'), findCommand({ PATH: '/usr/bin' }, 'python3')]) {
    if (!found || python) continue;
    const pip = await run(found, ['-m', 'pip', '--version'], { env, signal, timeoutMs: 30_000 });
    if (pip.ok) python = found;
  }
  if (compiler && python) return { compiler, python };
  /** @type {import('./system.mjs').Need[]} */
  const missing = compiler ? ['pip'] : python ? ['compiler'] : ['compiler', 'pip'];
  const names = missing.map((need) => (need === 'pip' ? 'python3 with pip' : 'g++')).join(' and ');
  const advice = `run: ${installCommand(system, missing)}`;
  if (!mayAsk) throw new SetupFailure(`expected ${names} on the PATH, found none; ${advice}`);
  const installed = await aptInstall(context, missing);
  if (!installed.ok) throw new SetupFailure(installed.message);
  return findTools(context, false);
}

/** @type {(context: Context, python: string, wheel: Wheel, to: string) => Promise<string[]>} */
async function fetchWheels(context, python, { requirement, sha256, extra }, to) {
  const [path = ''] = await download(context, python, [requirement], to);
  const got = sha256 && (await sha256Of(path, context.signal));
  if (got !== sha256)
    throw new SetupFailure(`expected ${basename(path)} to have SHA-256 ${sha256}, got ${got}: not used`);
  if (!extra) return [path];
  const args = [join(import.meta.dirname, 'requirements.py'), path, extra];
  const named = await runOrFail(`${basename(path)} to be a wheel with ${extra}`, python, args, context);
  return [path, ...(await download(context, python, named.trim().split('\n'), join(to, extra)))];
}

// Has pip fetch wheels from docker/wheels, or TRAINYARD_WHEELS, where that holds all of them; else from pip's index.
/** @type {(context: Context, python: string, requirements: string[], to: string) => Promise<string[]>} */
async function download({ root, env, signal }, python, requirements, to) {
  await mkdir(to, { recursive: true });
  const local = env['TRAINYARD_WHEELS'] || join(root, 'docker/wheels');
  const hasLocal = existsSync(local) && readdirSync(local).some((name) => name.endsWith('.whl'));
  let why = '';
  for (const from of [...(hasLocal ? [['--no-index', '--find-links', local]] : []), []]) {
    const args = ['-m', 'pip', 'download', ...requirements, ...pipFlags, '-d', to, ...from];
    const result = await run(python, args, { env: { ...env, TMPDIR: to }, signal }); // pip downloads there first
    const names = readdirSync(to).filter((name) => name.endsWith('.whl'));
    if (result.ok && names.length > 0) return names.map((name) => join(to, name));
    const message = result.ok ? 'it left no wheel' : result.message;
    why += from.length > 0 ? `not from ${local}, where ${message}\nand ` : message;
  }
  throw new SetupFailure(`expected pip to fetch ${requirements.join(' ')}, but ${why}`);
}

/** @type {(context: Context, compiler: string, directory: string) => Promise<void>} */
async function compile({ root, env, signal, doing }, compiler, directory) {
  doing('compiling the binding');
  const [output, lib] = [join(directory, bindingFile), join(directory, 'deps/lib')];
  await mkdir(dirname(output), { recursive: true });
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'];
  const headers = [join(root, 'node_modules/node-api-headers/include'), join(lib, 'include')];
  const folders = [...headers.map((path) => `-I${path}`), `-L${lib}`];
  const args = [...compilerFlags, ...folders, ...sources, ...linkerFlags, '-o', output];
  const cwd = join(packageDirectory(root), 'binding');
  const options = { cwd, env: { ...env, TMPDIR: directory }, signal };
  await runOrFail('the binding to compile', compiler, args, options);
}
