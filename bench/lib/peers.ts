/** The Python peers' virtual environments, made once by pip and kept in Trainyard's cache. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atEnd, interrupted } from './ending.ts';
import { lastLineOf, type Program } from './measure.ts';
import { during } from './progress.ts';

const installWithinMs = 15 * 60_000;

/** Where the peers' programs lie. */
export const peersDirectory = fileURLToPath(new URL('../peers/', import.meta.url));

/** Packages of pip that are installed together. */
export type PeerSet = {
  readonly requirements: string; // a file in bench/peers
  readonly what: string; // for people
  readonly modules: readonly string[]; // they are loaded to see that the packages work
};

const trainersAndServers: PeerSet = {
  requirements: 'requirements.txt',
  what: 'PyTorch, ONNX Runtime, FastAPI and Pillow',
  modules: [
    'fastapi',
    'numpy',
    'PIL',
    'torch',
    'uvicorn',
    'uvloop',
    'httptools',
    'onnxruntime',
    'safetensors',
  ],
};

export type Peers =
  | { readonly ok: true; readonly python: string; readonly versions: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly reason: string };

/** The set-up's own way to a directory that is whole or not there. */
type Cache = {
  readonly keep: (
    directory: string,
    signal: AbortSignal,
    fill: (directory: string) => Promise<{ ok: true }>,
  ) => Promise<unknown>;
};

/** Installs what is not there; a peer that can't be had is a result, not an error, and is printed as such. */
export async function installPeers(set = trainersAndServers): Promise<Peers> {
  try {
    const python = await installedPython(set);
    return { ok: true, python, versions: await versionsOf(python, set) };
  } catch (error) {
    if (interrupted.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    console.log(`${set.what} are absent: ${reason}`);
    return { ok: false, reason };
  }
}

/** A Python peer of bench/peers. */
export function peerProgram(python: string, script: string, args: readonly string[]): Program {
  return { program: python, args: [join(peersDirectory, script), ...args] };
}

async function installedPython({ requirements: name, what }: PeerSet): Promise<string> {
  const cache = resolve(process.env['TRAINYARD_CACHE'] || join(homedir(), '.cache', 'trainyard'));
  const requirements = join(peersDirectory, name);
  const wanted = createHash('sha256').update(await readFile(requirements));
  const directory = join(cache, `peers-${wanted.digest('hex').slice(0, 12)}`);
  const python = join(directory, 'bin', 'python');
  if (existsSync(python)) return python;
  const module = new URL('../../scripts/setup/cache.mjs', import.meta.url).href;
  const { keep } = (await import(module)) as Cache;
  const filled = keep(directory, interrupted, (made) => fill(made, requirements));
  const end = atEnd(() => filled.then(ignore, ignore)); // it removes what is not whole
  await during(`installing ${what}, once`, filled);
  await end();
  return python;
}

const ignore = () => {};

/** Programs are run by `python -m`, since a script of the environment's has the path in it where it was made. */
async function fill(directory: string, requirements: string): Promise<{ ok: true }> {
  const python = join(directory, 'bin', 'python');
  await lastLineOf({ program: 'python3', args: ['-m', 'venv', directory] }, installWithinMs);
  // Few retries: an index that can't be reached is not worth minutes for each package.
  const patience = ['--retries', '1', '--timeout', '15', '--disable-pip-version-check'];
  const args = ['-m', 'pip', 'install', ...patience, '-r', requirements];
  await lastLineOf({ program: python, args }, installWithinMs);
  return { ok: true };
}

/** Throws when what was installed does not load. */
async function versionsOf(python: string, { modules, what }: PeerSet): Promise<Record<string, string>> {
  const code = [
    'import importlib, json, platform',
    `loaded = [importlib.import_module(name) for name in ${JSON.stringify(modules)}]`,
    'versions = {module.__name__: module.__version__ for module in loaded if hasattr(module, "__version__")}',
    'print(json.dumps({"python": platform.python_version()} | versions))',
  ];
  const program = { program: python, args: ['-c', code.join('\n')] };
  const line = await during(`loading ${what}`, lastLineOf(program, 120_000));
  return JSON.parse(line) as Record<string, string>;
}
