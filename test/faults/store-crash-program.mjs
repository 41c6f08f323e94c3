/**
 * Carries out one change to a store and kills itself at one of its file-system calls.
 * Arguments: data directory, change, moment, number of the call, and as JSON what a model is published with.
 */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { importCompiled } from '../compiled.mjs';

/** @typedef {(...args: any[]) => Promise<any>} Call */

/** @type {typeof import('../../src/model/network/network.ts')} */
const { initialWeights, buildNetwork } = await importCompiled('model/network/network.js');
/** @type {typeof import('../../src/model/store/store.ts')} */
const { openStore } = await importCompiled('model/store/store.js');
/** @type {typeof import('../../src/model/registry/registry.ts')} */
const { openRegistry } = await importCompiled('model/registry/registry.js');

const [dataDir = '', change, moment, number, published = ''] = process.argv.slice(2);
const { provenance, evaluation } = JSON.parse(published);
const weights = initialWeights(buildNetwork('article', 10), 1);
const store = openStore(dataDir);
const registry = openRegistry(dataDir);
const [newest] = await store.versions();
let calls = 0; // counted from here on

/**
 * `call`, with an end at the chosen moment of the chosen one.
 *
 * @param {string} name
 * @param {Call} call
 * @returns {Call}
 */
function deadly(name, call) {
  return async (...args) => {
    if (++calls !== Number(number)) return call(...args);
    process.stdout.write(`${name}\n`);
    if (moment === 'during') await half(name, call, args);
    if (moment === 'after') await call(...args).catch(() => {});
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => {}); // nothing comes after
  };
}

/**
 * Half of what would be written; of any other call, its beginning.
 *
 * @param {string} name
 * @param {Call} call
 * @param {unknown[]} args
 */
async function half(name, call, args) {
  const [bytes] = args;
  if (name === 'writeFile' && bytes instanceof Uint8Array) await call(bytes.subarray(0, bytes.length / 2));
  else void call(...args).catch(() => {});
}

const functions = /** @type {Record<string, any>} */ (fs);
const originalOpen = functions['open'];
for (const name of Object.keys(functions)) {
  if (typeof functions[name] === 'function') functions[name] = deadly(name, functions[name]);
}
functions['open'] = deadly('open', async (...args) => {
  const file = await originalOpen(...args);
  for (const name of [
    'writeFile',
    'write',
    'writev',
    'read',
    'sync',
    'datasync',
    'truncate',
    'stat',
    'close',
  ])
    file[name] = deadly(name, file[name].bind(file));
  return file;
});
syncBuiltinESMExports();

if (change === 'publish')
  await store.publish(buildNetwork('article', 10), weights, provenance, { evaluation });
if (change === 'quarantine') await store.quarantine(Number(newest), 'damaged');
if (change === 'retain') await store.retain(1, new Set([Number(newest)]));
if (change === 'decide') {
  const write = /** @type {const} */ ({
    action: 'moved',
    alias: 'champion',
    to: 3,
    by: 'a test',
    reason: '',
  });
  await registry.decide('mnist', async () => ({ write }));
}
process.stdout.write('survived\n');
