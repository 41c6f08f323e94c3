/** The native part of tfjs-node: linked to where the package looks for it, and shown to compute. */
import { existsSync, lstatSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runOrFail } from './command.mjs';
import { SetupFailure } from './failure.mjs';

/** Below the package or a kept directory; every supported Node has this version of Node-API. */
export const bindingFile = 'lib/napi-v8/tfjs_binding.node';

/** What the package lacks: lib/ with the binding, which finds its libraries in ../../deps/lib, and deps/. */
export const parts = ['lib', 'deps'];

/** Loads the package as src/model/engines/engine.ts does, multiplies and convolves, and prints what computed it. */
const proof = `
  const util = require('node:util');
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  util.isArray = Array.isArray;
  const tf = require('@tensorflow/tfjs');
  require('@tensorflow/tfjs-node-gpu');
  tf.setBackend('tensorflow').then(async () => {
    const sums = await tf.conv2d(tf.ones([1, 4, 4, 1]), tf.ones([3, 3, 1, 1]), 1, 'valid').data();
    const product = await tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).data();
    const got = [...sums, ...product].join();
    if (got !== '9,9,9,9,11') throw new Error('expected sums 9,9,9,9 and product 11, got ' + got);
    const { binding, isUsingGpuDevice } = tf.backend();
    console.log('device: TensorFlow ' + binding.TF_Version + ', ' + (isUsingGpuDevice ? 'GPU' : 'CPU'));
  }).catch((error) => { console.error(error); process.exitCode = 1; });
`;

/** @param {string} root */
export const packageDirectory = (root) => join(root, 'node_modules/@tensorflow/tfjs-node-gpu');

/** @param {string} root */
export const isThere = (root) => existsSync(join(packageDirectory(root), bindingFile));

/** @param {string} root @returns the kept directory that the package is linked to; null: there is none */
export function placedFrom(root) {
  try {
    return dirname(readlinkSync(join(packageDirectory(root), 'deps'))); // the last of the parts
  } catch {
    return null; // missing, or a directory
  }
}

/** @type {(root: string, source: string) => void} `source` is a kept directory */
export function place(root, source) {
  unplace(root);
  for (const name of parts) symlinkSync(join(source, name), join(packageDirectory(root), name));
}

/** @param {string} root has no binding then: the engine `auto` takes wasm, where a broken one could end the process */
export function unplace(root) {
  for (const name of parts) rmSync(join(packageDirectory(root), name), { recursive: true, force: true });
}

/** Where the binding in place waits while another one is tried. @param {string} root */
const asideIn = (root) => join(packageDirectory(root), '.before');

/** Sets the binding in place aside, after putting back what a killed set-up had set aside. @param {string} root */
export function setAside(root) {
  move(asideIn(root), packageDirectory(root));
  mkdirSync(asideIn(root), { recursive: true });
  move(packageDirectory(root), asideIn(root));
}

/** Removes what was tried, and puts back what was set aside. @param {string} root */
export function putBack(root) {
  unplace(root);
  move(asideIn(root), packageDirectory(root));
}

/** @param {string} root */
export const dropAside = (root) => rmSync(asideIn(root), { recursive: true });

/** @type {(from: string, to: string) => void} */
function move(from, to) {
  for (const name of parts.filter((part) => lstatSync(join(from, part), { throwIfNoEntry: false }))) {
    rmSync(join(to, name), { recursive: true, force: true });
    renameSync(join(from, name), join(to, name));
  }
}

/** Computes in a process of its own: 'TensorFlow 2.21.0, CPU'. @param {import('./main.mjs').Context} context */
export async function prove({ root, env, signal }) {
  const options = { cwd: root, env: { ...env, TF_CPP_MIN_LOG_LEVEL: '2' }, signal, timeoutMs: 120_000 };
  const stdout = await runOrFail('the binding to load and compute', process.execPath, ['-e', proof], options);
  const device = /device: (.*)/.exec(stdout)?.[1];
  if (!device) throw new SetupFailure(`expected the binding to name its device, got: ${stdout}`);
  return device;
}
