/** What is made of the sources, when they have changed: the client's types, the compiled program in dist/ and the page. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { run } from './command.mjs';
import { SetupFailure } from './failure.mjs';
import { ensure } from './turn.mjs';

const generated = 'src/client/schema.ts';
const page = 'dist/web';
/** In this order: the program imports the client's types, the page imports the client. */
const stages = [
  {
    name: 'client types',
    from: 'src/app.ts',
    command: ['node_modules/tsx/dist/cli.mjs', 'scripts/generate-client.ts'],
    makes: [generated],
  },
  {
    name: 'tsc',
    from: 'tsconfig.build.json',
    command: ['node_modules/@typescript/native/bin/tsc', '-p', 'tsconfig.build.json', '--pretty', 'false'],
    makes: [],
  },
  {
    name: 'page',
    from: 'web/vite.config.ts',
    command: ['node_modules/vite/bin/vite.js', 'build', 'web', '--logLevel', 'warn'],
    makes: [`${page}/index.html`],
  },
];
const settings = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', 'scripts/generate-client.ts'];
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
    rmSync(stampPath(root), { force: true });
    rmSync(join(root, 'dist/.tsbuildinfo'), { force: true }); // it does not know which of its files are gone
    for (const stage of stages.filter(({ from }) => existsSync(join(root, from)))) {
      activity.doing({ name: stage.name });
      await carryOut(stage, context);
    }
    removeStale(root);
    writeFileSync(stampPath(root), digest);
    return built;
  });
}

const built = /** @type {const} */ ({ mark: '✓', text: 'build' });

/**
 * @param {(typeof stages)[number]} stage
 * @param {import('./main.mjs').Context} context
 */
async function carryOut({ name, command }, { root, env, signal }) {
  const result = await run(process.execPath, command, { cwd: root, env, signal });
  if (result.ok) return;
  throw new SetupFailure(
    `expected the sources to build (${name}), but ${result.message}\n` +
      'What to do: correct what is named above, then run the command again.',
  );
}

/**
 * Of the names and contents of all sources, and of what else decides the outcome.
 *
 * @param {string} root
 */
function sourceDigest(root) {
  const hash = createHash('sha256');
  for (const path of [...settings, ...sources(root), ...pageSources(root)]) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0');
  }
  return hash.digest('hex');
}

/**
 * @param {string} root
 * @returns what is compiled and written by hand, in order
 */
function sources(root) {
  return filesUnder(root, 'src').filter((path) => /\.(?:ts|mjs)$/.test(path) && path !== generated);
}

/** @param {string} root */
function pageSources(root) {
  return existsSync(join(root, 'web')) ? filesUnder(root, 'web') : [];
}

/**
 * @param {string} root
 * @param {string} folder
 */
function filesUnder(root, folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .toSorted();
}

/**
 * @param {string} root
 * @param {string} digest
 */
function isBuilt(root, digest) {
  const stamp = stampPath(root);
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest) return false;
  const compiled = sources(root).filter((path) => !path.endsWith('.d.ts'));
  const made = stages.flatMap(({ from, makes }) => (existsSync(join(root, from)) ? makes : []));
  return [...compiled.map(compiledPath), ...made].every((path) => existsSync(join(root, path)));
}

/** @param {string} path 'src/app.ts' */
function compiledPath(path) {
  return join('dist', relative('src', path)).replace(/\.ts$/, '.js');
}

/**
 * Takes away what was compiled from sources that are gone.
 *
 * @param {string} root
 */
function removeStale(root) {
  const wanted = new Set(
    [...sources(root), generated].map((path) => compiledPath(path).replace(/\.js$/, '')),
  );
  for (const path of filesUnder(root, 'dist')) {
    if (!emitted.test(path) || wanted.has(path.replace(emitted, '')) || path.startsWith(`${page}/`)) continue;
    rmSync(join(root, path));
    removeEmpty(dirname(join(root, path)));
  }
}

/** @param {string} directory */
function removeEmpty(directory) {
  if (readdirSync(directory).length > 0) return;
  rmdirSync(directory);
  removeEmpty(dirname(directory));
}

/**
 * @param {string} root
 * @returns whether dist/ is what the sources give
 */
export function isUpToDate(root) {
  return isBuilt(root, sourceDigest(root));
}

/** @param {string} root */
function stampPath(root) {
  return join(root, 'dist/.build');
}
