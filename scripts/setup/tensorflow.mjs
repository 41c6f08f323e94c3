/**
 * The engine `tensorflow`: libtensorflow and the binding of tfjs-node, kept in the cache directory since
 * `npm ci` empties node_modules, linked from there and shown to compute once. Without it wasm computes.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as binding from './binding.mjs';
import { damageOf, keep } from './cache.mjs';
import { asFailure, indent, SetupFailure } from './failure.mjs';
import { fillFromInstaller } from './installer.mjs';
import { readNotes, writeNotes } from './packages.mjs';
import { compilerFlags, fillFromWheel, version, wheels } from './wheel.mjs';

/**
 * A source fills a directory with the libraries and the binding, or throws a SetupFailure. A note tells what the last
 * set-up wanted and came to, and the kept directory that computes; null: none does.
 *
 * @typedef {{ name: string, directory: string, fill: (to: string) => Promise<void> }} Source
 * @typedef {{ wanted: string, directory: string | null, outcome: Outcome }} Note
 * @typedef {import('./main.mjs').Context} Context
 * @typedef {import('./main.mjs').Outcome} Outcome
 */

/** What an NVIDIA driver leaves on a machine: its modules' file, its device, and WSL's. */
const driverTraces = ['/proc/driver/nvidia/version', '/dev/nvidiactl', '/dev/dxg'];

/**
 * Provides the engine, or says loudly that wasm has to do; fails only where ENGINE=tensorflow or TENSORFLOW ask for it.
 * What was refused is asked for again by `--retry`, not at every start.
 *
 * @type {import('./main.mjs').Step}
 */
export const tensorflow = {
  title: 'TensorFlow',
  async check(context) {
    const { root, env, signal, verify, retry } = context;
    if (env['ENGINE'] === 'wasm') return { mark: '–', text: 'TensorFlow not wanted: ENGINE=wasm' };
    const note = readNotes(root).tensorflow;
    if (note?.wanted !== wantedNow(sourcesFor(context))) return null;
    const { directory, outcome } = note;
    if (outcome.mark === '!' && retry) return null;
    if (directory === null) return demandIn(env) ? null : outcome;
    const damage = await damageOf(directory, { full: verify, signal });
    return damage === null && binding.placedFrom(root) === directory ? outcome : null;
  },
  async make(context) {
    const { root, env } = context;
    const sources = sourcesFor(context);
    const reasons = /** @type {string[]} */ ([]);
    const conclude = (/** @type {Outcome} */ outcome, directory = binding.placedFrom(root)) => {
      writeNotes(root, { tensorflow: { wanted: wantedNow(sources), directory, outcome } });
      return outcome;
    };
    writeNotes(root, { tensorflow: undefined }); // where this set-up is killed, the next one does it again
    const device = await firstThatComputes(context, sources, reasons);
    const why = indent(reasons.join('\n'));
    if (device && !why) return conclude({ mark: '✓', text: device });
    if (device) return conclude({ mark: '!', text: `${device}: what comes before it can't be had\n${why}` });
    const told = `${why}\n    What to do: mend one of these, then run "npm run setup"`;
    const before = binding.isThere(root) ? await binding.prove(context).catch(asFailure) : null;
    if (typeof before !== 'string') binding.unplace(root);
    else if (!env['TENSORFLOW'])
      return conclude({ mark: '!', text: `${before}, as before: no other TensorFlow can be had\n${told}.` });
    if (demandIn(env))
      throw new SetupFailure(`expected TensorFlow, since ${demandIn(env)}, but it can't be had:\n${told}`);
    const text = `NO TensorFlow: wasm computes, about five times slower\n${told}; ENGINE=wasm leaves this step out.`;
    return conclude({ mark: '!', text });
  },
};

/**
 * The device of the first source that computes. Null: none does, and the binding that was in place is back.
 *
 * @type {(context: Context, sources: Source[], reasons: string[]) => Promise<string | null>} adds why others do not
 */
async function firstThatComputes(context, sources, reasons) {
  let device = null;
  binding.setAside(context.root);
  try {
    for (const source of sources) {
      const got = await provide(context, source).catch(asFailure);
      if (typeof got === 'string') return (device = got);
      reasons.push(`${source.name}: ${got.message}`);
    }
    return null;
  } finally {
    if (device === null) binding.putBack(context.root);
    binding.dropAside(context.root);
  }
}

/** @param {NodeJS.ProcessEnv} env @returns why set-up fails without TensorFlow, rather than leaving wasm; or null */
const demandIn = ({ ENGINE, TENSORFLOW }) =>
  TENSORFLOW ? `TENSORFLOW=${TENSORFLOW}` : ENGINE === 'tensorflow' ? 'ENGINE=tensorflow' : null;

/** @param {Source[]} sources @returns all that decides what is provided */
const wantedNow = (sources) => [process.version, ...sources.map(({ directory }) => directory)].join('\n');

/** Best first: with CUDA where there is an NVIDIA driver. One that TENSORFLOW names has no second. @param {Context} context */
function sourcesFor(context) {
  const { root, cacheDir, env } = context;
  const parent = join(cacheDir, 'tensorflow');
  const folders = [binding.packageDirectory(root), join(root, 'node_modules/node-api-headers')];
  const packages = folders.map((folder) => readFileSync(join(folder, 'package.json'), 'utf8')); // with their versions
  const inputs = JSON.stringify([packages, process.platform, process.arch, compilerFlags, wheels]);
  const key = createHash('sha256').update(inputs).digest('hex').slice(0, 12);
  /** @type {(name: string, kept: string, fill: Source['fill']) => Source} */
  const source = (name, kept, fill) => ({ name, directory: join(parent, `${kept}-${key}`), fill });
  const title = `TensorFlow ${version} from its wheel`;
  const fill = fillFromWheel.bind(null, context);
  const cpu = source(title, version, fill.bind(null, wheels.cpu));
  const cuda = source(`${title}s, with CUDA`, `${version}-cuda`, fill.bind(null, wheels.cuda));
  const installer = "libtensorflow from the package's own installer";
  const stock = source(installer, 'installer', fillFromInstaller.bind(null, context));
  const named = env['TENSORFLOW'];
  const hasDriver = driverTraces.some((path) => existsSync(path));
  if (!named) return hasDriver ? [cuda, cpu, stock] : [cpu, stock];
  const found = Object.entries({ cpu, cuda, stock }).find(([variant]) => variant === named);
  if (found) return [found[1]];
  throw new SetupFailure(
    `expected TENSORFLOW to be cpu, cuda, stock or unset, got ${named}\n` +
      'What to do: unset it, then run the command again; cuda is taken where there is an NVIDIA driver.',
  );
}

/**
 * Keeps, places and proves one source; returns its device. A kept one that no longer computes is compared byte by byte,
 * and made anew if it is damaged.
 *
 * @type {(context: Context, source: Source) => Promise<string>}
 */
async function provide(context, source) {
  const { directory, fill } = source;
  const { root, signal, verify, doing } = context;
  const isKept = (await damageOf(directory, { full: verify, signal })) === null;
  if (!isKept) await keep(directory, signal, (to) => fill(to).then(() => doing('checksums')));
  binding.place(root, directory);
  doing('first computation');
  try {
    return await binding.prove(context);
  } catch (error) {
    if (!isKept || (await damageOf(directory, { full: true, signal })) === null) throw error;
    return provide({ ...context, verify: true }, source);
  }
}
