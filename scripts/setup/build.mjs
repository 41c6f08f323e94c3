/** What is made of the sources, when they have changed: the client's types, the compiled program in dist/ and the page. */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { runOrFail } from './command.mjs';

const generated = 'src/client/schema.ts';
const fresh = 'dist.new'; // beside dist: source maps name the sources by relative paths
/** In this order: the program imports the client's types, the page imports the client. */
const stages = [
  ['client types', 'src/app.ts', 'tsx/dist/cli.mjs scripts/generate-client.ts'],
  ['tsc', 'src', `@typescript/native/bin/tsc -p tsconfig.build.json --pretty false --outDir ${fresh}`],
  ['page', 'web', `vite/bin/vite.js build web --logLevel warn --outDir ../${fresh}/web`],
].map(([name = '', from = '', command = '']) => ({ name, from, args: `node_modules/${command}`.split(' ') }));
const settings = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', 'scripts/generate-client.ts'];
const advice = 'correct what is named above';
const built = /** @type {const} */ ({ mark: '✓', text: 'build' });

/** Builds beside dist/, so that nothing is left of a source that is gone. @type {import('./main.mjs').Step} */
export const build = {
  title: 'build',
  async check({ root }) {
    return isUpToDate(root) ? built : null;
  },
  async make({ root, env, signal, doing }) {
    const digest = sourceDigest(root);
    const [target, before] = [join(root, fresh), join(root, 'dist')];
    rmSync(target, { recursive: true, force: true });
    for (const { name, args } of stages.filter(({ from }) => existsSync(join(root, from)))) {
      doing(name);
      const options = { cwd: root, env, signal };
      await runOrFail(`the sources to build (${name})`, process.execPath, args, options, advice);
    }
    for (const path of filesUnder(root, 'src').filter((file) => file.endsWith('.proto')))
      copyFileSync(join(root, path), join(target, relative('src', path))); // tsc leaves them out
    const files = filesUnder(root, fresh).map((path) => path.replace(fresh, 'dist'));
    if (existsSync(join(root, generated))) files.push(generated);
    writeFileSync(join(target, '.build'), JSON.stringify({ digest, files }));
    if (existsSync(before)) renameSync(before, join(target, '.old'));
    renameSync(target, before);
    rmSync(join(before, '.old'), { recursive: true, force: true });
    return built;
  },
};

/** Hashes the names and contents of all sources, and of what else decides the outcome. @param {string} root */
function sourceDigest(root) {
  const hash = createHash('sha256');
  const sources = filesUnder(root, 'src').filter((path) => path !== generated);
  for (const path of [...settings, ...sources, ...filesUnder(root, 'web')])
    hash.update(`${path}\0${readFileSync(join(root, path), 'base64')}\0`);
  return hash.digest('hex');
}

/** @type {(root: string, folder: string) => string[]} */
function filesUnder(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .toSorted();
}

/** Whether dist/ is what the sources give. @param {string} root */
export function isUpToDate(root) {
  try {
    /** @type {{ digest: string, files: string[] }} */
    const { digest, files } = JSON.parse(readFileSync(join(root, 'dist/.build'), 'utf8'));
    return files.every((path) => existsSync(join(root, path))) && digest === sourceDigest(root);
  } catch {
    return false; // not built yet
  }
}
