/**
 * The engine `webgpu`: npm packages of 54 MB that nobody else needs, so they have a lock file of their own. Installed
 * inside node_modules, from where they find the tfjs-core of this checkout.
 */
import { copyFileSync, cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { indent, SetupFailure } from './failure.mjs';
import { isMusl, lockDigest, missingPackage, readNotes, runNpm, writeNotes } from './packages.mjs';

const source = join(import.meta.dirname, 'webgpu');
const dawnFor = `${process.platform}-${process.platform === 'darwin' ? 'universal' : process.arch}`;
const directoryIn = (/** @type {string} */ root) => join(root, 'node_modules/.trainyard-webgpu');
const inPlace = /** @type {const} */ ({ mark: '✓', text: 'WebGPU packages' });

/** The engine was asked for by name: set-up fails where the packages can't be had. @type {import('./main.mjs').Step} */
export const webgpu = {
  title: 'WebGPU',
  async check({ root }) {
    if (readNotes(root).webgpu !== lockDigest(source)) return null;
    return missingPackage(directoryIn(root)) === null ? inPlace : null;
  },
  async make(context) {
    const directory = directoryIn(context.root);
    cpSync(source, directory, { recursive: true });
    copyFileSync(join(context.root, '.npmrc'), join(directory, '.npmrc'));
    context.doing('npm ci, 54 MB');
    // The peer, tfjs-core, is that of the checkout. An unreachable registry is told soon.
    const how = '--legacy-peer-deps --fetch-retries=1 --fetch-retry-mintimeout=1000'.split(' ');
    const result = await runNpm(context, [...how, '--prefix', directory], 10 * 60_000);
    if (!result.ok) refuse(`expected npm to install them, but ${result.message}`);
    if (isMusl() || !existsSync(join(directory, 'node_modules/webgpu/dist', dawnFor))) {
      refuse(`expected a system that Dawn is packed for, this is ${dawnFor}${isMusl() ? ' with musl' : ''}`);
    }
    writeNotes(context.root, { webgpu: lockDigest(source) });
    return inPlace;
  },
};

/** @type {(message: string) => never} */
function refuse(message) {
  throw new SetupFailure(
    `expected the packages of WebGPU, since ENGINE=webgpu, but they can't be had:\n${indent(message)}\n` +
      'What to do: mend that, then run the command again; ENGINE=auto does without them.',
  );
}
