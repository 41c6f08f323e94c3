/**
 * libtensorflow and the tfjs-node binding over it, kept in the cache directory and put into
 * node_modules from there. Where neither source of it works, Trainyard runs on wasm, and this says so.
 */
import {
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { isWhole, megabytesBelow, seal, sha256 } from './cache.mjs';
import { root } from './packages.mjs';
import { run } from './step.mjs';
import { aptInstall, canUseApt, findProgram, installCommand } from './system.mjs';

/** TensorFlow's own wheel holds libtensorflow; the checksum is that of the file on the package index. */
const wheel = {
  requirement: 'tensorflow-cpu==2.21.0',
  version: '2.21.0',
  sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
  platform: 'manylinux_2_27_x86_64',
  python: '3.11',
};
const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
/** What the binding includes, directly or not, of the wheel's 13,000 headers. */
const headers = [
  'tensorflow/c/c_api.h',
  'tensorflow/c/c_api_macros.h',
  'tensorflow/c/eager/c_api.h',
  'tensorflow/c/tf_attrtype.h',
  'tensorflow/c/tf_buffer.h',
  'tensorflow/c/tf_datatype.h',
  'tensorflow/c/tf_status.h',
  'tensorflow/c/tf_tensor.h',
  'tensorflow/c/tf_tstring.h',
  'tensorflow/core/platform/ctstring.h',
  'tensorflow/core/platform/ctstring_internal.h',
  'tsl/platform/ctstring.h',
  'tsl/platform/ctstring_internal.h',
  'xla/tsl/c/tsl_status.h',
];

const addon = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
const bindingPath = join(addon, 'lib', 'napi-v8', 'tfjs_binding.node'); // Node-API 8, in every Node from 20 on
const stampPath = join(root, 'node_modules', '.trainyard-tensorflow');
const installerTimeoutMs = 3 * 60_000;
const tryAgainAfterMs = 24 * 60 * 60 * 1000;

/** Returns a few words on the engine that there will be. */
export async function provideTensorFlow(cache, progress, retry) {
  if (process.env.ENGINE === 'wasm') return 'not needed: ENGINE=wasm';
  const stamp = JSON.parse(await readFile(stampPath, 'utf8').catch(() => '{}'));
  const failedLately = Date.now() - (stamp.failedAt ?? 0) < tryAgainAfterMs;
  if (failedLately && !retry)
    return `not here, going on with wasm (${stamp.reason}); "npm run setup" tries again`;
  const key = `${process.platform}-${process.arch}-wheel-${wheel.sha256.slice(0, 12)}-tfjs-${await packageVersion()}`;
  const directory = join(cache, 'tensorflow', key);
  const fallback = join(cache, 'tensorflow', key.replace(/wheel-[0-9a-f]+/, 'installer'));
  for (const kept of [directory, fallback]) {
    if ((await isWhole(kept)) && (await place(kept, stamp, progress)) === null) return 'in place';
  }
  return build(cache, directory, fallback, progress);
}

/** Tries the wheel, then the package's own installer; both leave `deps` and the binding in a staging directory. */
async function build(cache, directory, fallback, progress) {
  const problems = [];
  for (const [name, make, target] of [
    ['wheel', makeFromWheel, directory],
    ['installer', makeByInstaller, fallback],
  ]) {
    await mkdir(join(cache, 'tensorflow'), { recursive: true });
    const staging = await mkdtemp(join(cache, 'tensorflow', '.staging-'));
    try {
      const problem = (await make(staging, progress)) ?? (await keep(staging, target, progress));
      if (problem === null) return `built over libtensorflow, from the ${name}`;
      problems.push(`${name}: ${problem}`);
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  }
  const reason = problems.join('; ');
  await writeFile(stampPath, JSON.stringify({ failedAt: Date.now(), reason }));
  return `NOT AVAILABLE, going on with wasm, about a tenth of the speed\n    ${problems.join('\n    ')}`;
}

/** Seals what was made, gives it its final name and puts it in place. Returns why it does not load, or null. */
async function keep(staging, target, progress) {
  progress('checksums');
  await seal(staging);
  await rm(target, { recursive: true, force: true });
  await rename(staging, target).catch(async (error) => {
    if (!(await isWhole(target))) throw error; // another set-up was first
  });
  const problem = await place(target, {}, progress);
  if (problem !== null) await rm(target, { recursive: true, force: true });
  return problem;
}

async function makeFromWheel(staging, progress) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `TensorFlow's wheel is used on Linux x64 only, this is ${process.platform} ${process.arch}`;
  }
  const missing = await provideTools(progress);
  if (missing) return missing;
  const downloads = join(staging, 'downloads');
  await mkdir(downloads);
  let megabytes = 0;
  const measure = setInterval(async () => {
    megabytes = await megabytesBelow(downloads);
  }, 500);
  progress(() => `downloading ${wheel.requirement}, ${megabytes.toFixed(0)} MB`);
  const args = [
    '-m',
    'pip',
    'download',
    wheel.requirement,
    '--no-deps',
    '--only-binary=:all:',
    '--no-cache-dir',
  ];
  args.push('--python-version', wheel.python, '--platform', wheel.platform, '--dest', downloads);
  const { ok, output } = await run('python3', args, { env: { TMPDIR: downloads } });
  clearInterval(measure);
  if (!ok) return `pip could not download ${wheel.requirement}: ${output.split('\n').at(-1)}`;
  const file = join(
    downloads,
    (await readdir(downloads)).find((name) => name.endsWith('.whl')),
  );
  const checksum = await sha256(file);
  if (checksum !== wheel.sha256) return `expected the wheel to have SHA-256 ${wheel.sha256}, got ${checksum}`;
  return (await unpack(staging, file, progress)) ?? (await compile(staging, progress));
}

/** python3 with pip, and g++; by apt where that is allowed. Returns what is missing, or null. */
async function provideTools(progress) {
  const hasPip = findProgram('python3') && (await run('python3', ['-m', 'pip', '--version'])).ok;
  const packages = [...(hasPip ? [] : ['python3-pip']), ...(findProgram('g++') ? [] : ['g++'])];
  if (packages.length === 0) return null;
  if (canUseApt() && (await aptInstall(packages, progress)).ok) return null;
  const command = installCommand({
    'apt-get': packages.join(' '),
    apk: packages.join(' '),
    other: 'python3-pip gcc-c++',
  });
  return `expected ${packages.join(' and ')}, not installed; ${command ? `run: ${command}` : 'install them'}`;
}

async function unpack(staging, file, progress) {
  progress('unpacking libtensorflow');
  const members = [
    ...libraries.map((name) => [`tensorflow/${name}`, `deps/lib/${name}`]),
    ...headers.map((name) => [`tensorflow/include/${name}`, `deps/include/${name}`]),
  ];
  const program = [
    'import json, os, shutil, sys, zipfile',
    'wheel = zipfile.ZipFile(sys.argv[1])',
    'for member, target in json.loads(sys.argv[2]):',
    '    os.makedirs(os.path.dirname(target), exist_ok=True)',
    '    with wheel.open(member) as source, open(target, "wb") as out:',
    '        shutil.copyfileobj(source, out, 1 << 20)',
  ].join('\n');
  const { ok, output } = await run('python3', ['-c', program, file, JSON.stringify(members)], {
    cwd: staging,
  });
  if (!ok) return `could not unpack the wheel: ${output.split('\n').at(-1)}`;
  await rm(join(staging, 'downloads'), { recursive: true });
  const lib = join(staging, 'deps', 'lib');
  await symlink('libtensorflow_cc.so.2', join(lib, 'libtensorflow.so')); // the names that the linker looks for
  await symlink('libtensorflow_framework.so.2', join(lib, 'libtensorflow_framework.so'));
  return null;
}

/** The binding is two C++ files against Node-API, so it needs neither node-gyp nor Node's own headers. */
async function compile(staging, progress) {
  progress('compiling the binding');
  const args = ['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8'];
  args.push(
    `-I${join(root, 'node_modules', 'node-api-headers', 'include')}`,
    `-I${join(staging, 'deps', 'include')}`,
  );
  args.push(...['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(addon, 'binding', name)));
  args.push(`-L${join(staging, 'deps', 'lib')}`, '-ltensorflow', '-ltensorflow_framework');
  args.push('-Wl,-rpath,$ORIGIN/../../deps/lib', '-o', join(staging, 'tfjs_binding.node'));
  const { ok, output } = await run('g++', args);
  return ok ? null : `g++ could not compile the binding: ${output.split('\n').at(-1)}`;
}

/** libtensorflow 2.9.1 as @tensorflow/tfjs-node-gpu itself downloads it. */
async function makeByInstaller(staging, progress) {
  progress("the package's own installer");
  await clearPlace();
  const PATH = `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`;
  const options = { cwd: addon, env: { PATH }, timeoutMs: installerTimeoutMs };
  const { output } = await run(process.execPath, ['scripts/install.js', 'gpu', 'download'], options);
  if (!(await exists(bindingPath)))
    return `@tensorflow/tfjs-node-gpu's installer failed: ${output.split('\n').at(-1)}`;
  await cp(join(addon, 'deps'), join(staging, 'deps'), { recursive: true, verbatimSymlinks: true });
  await copyFile(bindingPath, join(staging, 'tfjs_binding.node'));
  return null;
}

/** Puts a kept build into node_modules and loads it once. Returns why it does not load, or null. */
async function place(directory, stamp, progress) {
  const wanted = `${directory} Node ${process.versions.node}`;
  if (stamp.loaded === wanted && (await exists(bindingPath)) && (await exists(join(addon, 'deps', 'lib'))))
    return null;
  await clearPlace();
  await mkdir(join(bindingPath, '..'), { recursive: true });
  await copyFile(join(directory, 'tfjs_binding.node'), bindingPath);
  await symlink(join(directory, 'deps'), join(addon, 'deps'));
  progress('loading it once');
  const program =
    "const util = require('node:util'); util.isNullOrUndefined ??= (v) => v == null; util.isArray ??= Array.isArray;" +
    "const tf = require('@tensorflow/tfjs-node-gpu'); if (tf.ones([2]).sum().dataSync()[0] !== 2) process.exit(1);";
  const { ok, output } = await run(process.execPath, ['-e', program], { cwd: root, timeoutMs: 60_000 });
  if (ok) {
    await writeFile(stampPath, JSON.stringify({ loaded: wanted }));
    return null;
  }
  await clearPlace();
  const cause = output.split('\n').find((text) => /error/i.test(text)) ?? output.split('\n').at(-1);
  return `the binding was built but does not load: ${cause}`;
}

async function clearPlace() {
  await rm(join(addon, 'deps'), { recursive: true, force: true });
  await rm(join(addon, 'lib'), { recursive: true, force: true });
}

async function packageVersion() {
  return JSON.parse(await readFile(join(addon, 'package.json'), 'utf8')).version;
}

function exists(path) {
  return stat(path).then(
    () => true,
    () => false,
  );
}
