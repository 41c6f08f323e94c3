/** The compiled program in dist/: made when its sources have changed. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './command.mjs';
import { SetupFailure } from './failure.mjs';
import { ensure } from './turn.mjs';

const compiler = 'node_modules/typescript/bin/tsc';
const settings = ['tsconfig.json', 'tsconfig.build.json', 'node_modules/typescript/package.json'];
const emitted = /(?:\.d\.ts|\.js|\.js\.map)$/;

/**
 * @param {import('./main.mjs').Context} context
 * @param {import('./report.mjs').Activity} activity
 * @returns {Promise<import('./main.mjs').Outcome>}
 * @throws {SetupFailure} with what the compiler says
 */
export async function buildSources(context, activity) {
  const { root } = context;
  const digest = sourceDigest(root);
  const check = async () => (isBuilt(root, digest) ? built : null);
  return ensure(context, activity, check, async () => {
    activity.doing({ name: 'tsc' });
    rmSync(stampPath(root), { force: true });
    rmSync(join(root, 'dist/.tsbuildinfo'), { force: true }); // it does not know which of its files are gone
    await compile(context);
    removeStale(root);
    writeFileSync(stampPath(root), digest);
    return built;
  });
}

const built = /** @type {const} */ ({ mark: '✓', text: 'build' });

/** @param {import('./main.mjs').Context} context */
async function compile({ root, env, signal }) {
  const args = [compiler, '-p', 'tsconfig.build.json', '--pretty', 'false'];
  const result = await run(process.execPath, args, { cwd: root, env, signal });
  if (result.ok) return;
  throw new SetupFailure(
    `expected src/ to compile, but ${result.message}\n` +
      'What to do: correct the lines named above, then run the command again.',
  );
}

/**
 * Of the names and contents of all sources, and of what else decides the outcome.
 *
 * @param {string} root
 */
function sourceDigest(root) {
  const hash = createHash('sha256');
  for (const path of [...settings, ...sources(root).map((name) => join('src', name))]) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0');
  }
  return hash.digest('hex');
}

/**
 * @param {string} root
 * @returns paths under src/, in order
 */
function sources(root) {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .toSorted();
}

/**
 * @param {string} root
 * @param {string} digest
 */
function isBuilt(root, digest) {
  const stamp = stampPath(root);
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest) return false;
  const compiled = sources(root).filter((name) => !name.endsWith('.d.ts'));
  return compiled.every((name) => existsSync(join(root, 'dist', name.replace(/\.ts$/, '.js'))));
}

/**
 * Takes away what was compiled from sources that are gone.
 *
 * @param {string} root
 */
function removeStale(root) {
  const dist = join(root, 'dist');
  const wanted = new Set(sources(root).map((name) => name.replace(/\.ts$/, '')));
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (!emitted.test(name) || wanted.has(name.replace(emitted, ''))) continue;
    rmSync(join(dist, name));
    removeEmpty(dirname(join(dist, name)));
  }
}

/** @param {string} directory */
function removeEmpty(directory) {
  if (readdirSync(directory).length > 0) return;
  rmdirSync(directory);
  removeEmpty(dirname(directory));
}

/** @param {string} root */
function stampPath(root) {
  return join(root, 'dist/.build');
}
