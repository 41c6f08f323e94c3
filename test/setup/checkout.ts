/**
 * A checkout that set-up can do what it likes with: the scripts and lock file of this one, the same packages
 * by links, a source of its own, and commands of the test's choice first on its PATH.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, symlink, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { temporaryDirectory } from '../temporary.ts';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

export type Checkout = {
  readonly root: string;
  readonly cacheDir: string;
  /** First on the PATH. */
  readonly commands: string;
};

export type Run = { readonly code: number | null; readonly output: string; readonly seconds: number };

const copied = [
  'package.json',
  'package-lock.json',
  '.npmrc',
  'tsconfig.json',
  'tsconfig.build.json',
  'scripts',
  '.ci',
];
const ownPackage = '@tensorflow/tfjs-node-gpu'; // the one that set-up writes into
const withinMs = 240_000; // a test that has timed out must not hold the lock of this machine's cache
const odd = "it's # 50% ü"; // names of folders as people have them

/** `packages`: with node_modules, by default. */
export async function createCheckout({ packages = true } = {}): Promise<Checkout> {
  const base = await temporaryDirectory();
  const root = join(base, `repository ${odd}`);
  const commands = join(base, 'commands');
  await mkdir(commands);
  const kind = packages ? 'whole' : 'bare';
  if (!existsSync(templates[kind])) templates[kind] = await makeTemplate(packages);
  execFileSync('cp', ['-R', templates[kind], root]);
  const checkout = { root, cacheDir: join(base, `cache ${odd}`), commands };
  await addCommand(checkout, 'redis-server', 'echo "Redis server v=7.2.4 sha=0"');
  return checkout;
}

/** What all checkouts of a test file are copied from; gone after that file. */
const templates = { whole: '', bare: '' };

async function makeTemplate(packages: boolean): Promise<string> {
  const root = join(await temporaryDirectory(), 'repository');
  await mkdir(join(root, 'src'), { recursive: true });
  for (const name of copied) await cp(join(repository, name), join(root, name), { recursive: true });
  await writeFile(join(root, 'src/answer.ts'), 'export const answer: number = 42;\n');
  if (packages) await linkPackages(root);
  return root;
}

async function linkPackages(root: string): Promise<void> {
  const from = join(repository, 'node_modules');
  const to = join(root, 'node_modules');
  const scope = '@tensorflow';
  await mkdir(join(to, scope), { recursive: true });
  for (const name of await readdir(from)) {
    if (name !== scope && !name.startsWith('.')) await symlink(join(from, name), join(to, name));
  }
  await cp(join(from, '.package-lock.json'), join(to, '.package-lock.json'));
  const { lockDigest } = await setupModule<{ lockDigest: (folder: string) => string }>('packages');
  await writeFile(notesIn({ root }), JSON.stringify({ packages: lockDigest(root) }));
  for (const name of await readdir(join(from, scope))) {
    if (`${scope}/${name}` !== ownPackage) await symlink(join(from, scope, name), join(to, scope, name));
  }
  const made = ['deps', 'lib'].map((name) => join(from, ownPackage, name));
  await cp(join(from, ownPackage), join(to, ownPackage), {
    recursive: true,
    filter: (path) => !made.includes(path),
  });
}

/** What set-up has noted about what is in node_modules. */
export function notesIn({ root }: Pick<Checkout, 'root'>): string {
  return join(root, 'node_modules/.trainyard.json');
}

/** Puts a shell script first on the PATH of a checkout. */
export async function addCommand({ commands }: Checkout, name: string, script: string): Promise<void> {
  await writeFile(join(commands, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

export function environmentOf(checkout: Checkout, changes: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { REDIS_URL: _url, ENGINE: _engine, ...inherited } = process.env;
  const PATH = `${checkout.commands}:${process.env['PATH']}`;
  return { ...inherited, PATH, TRAINYARD_CACHE: checkout.cacheDir, ENGINE: 'wasm', ...changes };
}

/** Where the binding of the package is, in a checkout. */
export const bindingFolder = `node_modules/${ownPackage}/lib/napi-v8`;

/** TensorFlow is wanted, and the package's own installer reaches nobody: nothing listens on port 9. */
export const offline = { ENGINE: 'auto', TFJS_NODE_CDN_STORAGE: 'http://127.0.0.1:9/' };

/** A pip that answers `script` to a download. */
export async function addPip(checkout: Checkout, script: string): Promise<void> {
  const program = `[ "$3" = --version ] && exit 0\nwhile [ "$1" != -d ]; do shift; done\n${script}`;
  await addCommand(checkout, 'python3', program);
  await addCommand(checkout, 'g++', 'exit 1');
}

/** Starts set-up; `ended` resolves when it is gone. */
export function startSetup(
  checkout: Checkout,
  args: string[] = [],
  changes: NodeJS.ProcessEnv = {},
  user: { uid?: number; gid?: number } = {},
) {
  const began = performance.now();
  const child = spawn(process.execPath, [join(checkout.root, 'scripts/setup.mjs'), ...args], {
    ...user,
    env: environmentOf(checkout, changes),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: withinMs,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = once(child, 'close').then(([code]): Run => {
    return { code: code as number | null, output, seconds: (performance.now() - began) / 1000 };
  });
  return { child, ended };
}

export function runSetup(checkout: Checkout, args?: string[], changes?: NodeJS.ProcessEnv): Promise<Run> {
  return startSetup(checkout, args, changes).ended;
}

/** A module of set-up. They are plain .mjs: each test names the shape of what it uses. */
export async function setupModule<T>(name: string): Promise<T> {
  return (await import(pathToFileURL(join(repository, 'scripts/setup', `${name}.mjs`)).href)) as T;
}

/** Resolves when a file is there. */
export async function created(path: string): Promise<void> {
  const events = watch(join(path, '..'));
  if (existsSync(path)) return;
  for await (const _ of events) if (existsSync(path)) return;
}
