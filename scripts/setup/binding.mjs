/** The native part of tfjs-node: put where the package looks for it, and shown to compute. */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './command.mjs';

export const bindingName = 'tfjs_binding.node';
const proofWithinMs = 120_000;

/** Loads the package as src/model/engines/engine.ts does, multiplies and convolves, and prints what computed it. */
const proof = `
  const util = require('node:util');
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  util.isArray = Array.isArray;
  const tf = require('@tensorflow/tfjs');
  require('@tensorflow/tfjs-node-gpu');
  tf.setBackend('tensorflow').then(async () => {
    const image = tf.ones([1, 4, 4, 1]);
    const sums = await tf.conv2d(image, tf.ones([3, 3, 1, 1]), 1, 'valid').data();
    const product = await tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).data();
    if (sums.join() !== '9,9,9,9' || product[0] !== 11) {
      throw new Error('expected sums 9,9,9,9 and product 11, got ' + sums.join() + ' and ' + product[0]);
    }
    const { binding, isUsingGpuDevice } = tf.backend();
    console.log('device: TensorFlow ' + binding.TF_Version + ', ' + (isUsingGpuDevice ? 'GPU' : 'CPU'));
  }).catch((error) => { console.error(error); process.exitCode = 1; });
`;

/** @param {string} root */
export function packageDirectory(root) {
  return join(root, 'node_modules/@tensorflow/tfjs-node-gpu');
}

/**
 * The package looks under the newest Node-API version that it and this Node both know.
 *
 * @param {string} root
 */
export function bindingPath(root) {
  const { binary } = JSON.parse(readFileSync(join(packageDirectory(root), 'package.json'), 'utf8'));
  const known = /** @type {number[]} */ (binary.napi_versions);
  const version = Math.max(...known.filter((napi) => napi <= Number(process.versions.napi)));
  return join(packageDirectory(root), `lib/napi-v${version}`, bindingName);
}

/**
 * @param {string} root
 * @param {string} source a kept directory: deps/ and the binding
 * @param {import('./cache.mjs').Manifest} manifest its manifest
 */
export function isPlaced(root, source, manifest) {
  const path = bindingPath(root);
  const wanted = manifest.files.find((file) => file.path === bindingName)?.sha256;
  return linkTarget(depsPath(root)) === join(source, 'deps') && existsSync(path) && digestOf(path) === wanted;
}

/**
 * Copies the binding and links its libraries: its run path is '$ORIGIN/../../deps/lib'.
 *
 * @param {string} root
 * @param {string} source a kept directory
 */
export function place(root, source) {
  unplace(root);
  const path = bindingPath(root);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(join(source, 'deps'), depsPath(root));
  copyFileSync(join(source, bindingName), `${path}.new`);
  renameSync(`${path}.new`, path); // a process that has the old one loaded keeps it
}

/**
 * Without a binding the engine `auto` takes wasm; a broken one could end the process.
 *
 * @param {string} root
 */
export function unplace(root) {
  rmSync(bindingPath(root), { force: true });
  rmSync(depsPath(root), { recursive: true, force: true });
}

/**
 * Computes with the placed binding in a process of its own.
 *
 * @param {import('./main.mjs').Context} context
 * @returns {Promise<{ ok: true, device: string } | { ok: false, message: string }>}
 */
export async function prove({ root, env, signal }) {
  const quiet = { ...env, TF_CPP_MIN_LOG_LEVEL: '2' };
  const result = await run(process.execPath, ['-e', proof], {
    cwd: root,
    env: quiet,
    signal,
    timeoutMs: proofWithinMs,
  });
  if (!result.ok)
    return { ok: false, message: `expected the binding to load and compute, but ${result.message}` };
  const device = /device: (.*)/.exec(result.stdout)?.[1];
  if (device) return { ok: true, device };
  return { ok: false, message: `expected the binding to name its device, got: ${result.stdout}` };
}

/** @param {string} root */
function depsPath(root) {
  return join(packageDirectory(root), 'deps');
}

/** @param {string} path */
function linkTarget(path) {
  try {
    return readlinkSync(path);
  } catch {
    return null; // missing, or a directory
  }
}

/** @param {string} path */
function digestOf(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
