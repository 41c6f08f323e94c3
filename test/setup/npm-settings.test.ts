/** The real npm, whatever its settings are, on a project of its own whose packages are files. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once as nextEvent } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../temporary.ts';
import { setupModule } from './checkout.ts';

type Step = { make(context: object): Promise<unknown> };
const { packages: step, isMusl } = await setupModule<{ packages: Step; isMusl: () => boolean }>('packages');

const here = {
  os: [process.platform],
  cpu: [process.arch],
  ...(process.platform === 'linux' ? { libc: [isMusl() ? 'musl' : 'glibc'] } : {}),
};
/** Maps each name to what the lock file says of it. */
const packages = {
  esbuild: { dev: true },
  native: { optional: true, ...here },
  old: { engines: { node: '^4' } },
  peer: { peer: true },
  plugin: { peerDependencies: { peer: '1.0.0' } },
  script: { hasInstallScript: true },
  sharp: {},
  vite: { dev: true, bin: { vite: 'index.js' } },
};

/** What changes which packages are installed, and where, or keeps npm from installing anything. */
const settings = `
  omit=optional omit=dev omit=peer production=true optional=false include=prod os=sunos cpu=mips libc=other
  legacy-peer-deps=true engine-strict=true global=true location=global package-lock=false package-lock-only=true
  dry-run=true install-strategy=linked bin-links=false ignore-scripts=false workspaces=true usage=true`
  .trim()
  .split(/\s+/);

let root: string;
beforeAll(async () => {
  root = await temporaryDirectory();
  const locked = Object.fromEntries(
    await Promise.all(
      Object.entries(packages).map(async ([name, rest]) => {
        const integrity = await pack(name, rest);
        const resolved = `file:${name}.tgz`;
        return [`node_modules/${name}`, { version: '1.0.0', resolved, integrity, ...rest }] as const;
      }),
    ),
  );
  const files = (...names: string[]) => Object.fromEntries(names.map((name) => [name, `file:${name}.tgz`]));
  const project = {
    name: 'project',
    version: '1.0.0',
    dependencies: files('old', 'plugin', 'script', 'sharp'),
    devDependencies: files('esbuild', 'vite'),
    optionalDependencies: files('native'),
  };
  const lock = { lockfileVersion: 3, requires: true, packages: { '': project, ...locked } };
  await writeFile(join(root, 'package.json'), JSON.stringify(project));
  await writeFile(join(root, 'package-lock.json'), JSON.stringify(lock));
});

describe('npm packages are installed, all of them,', () => {
  const all = [Object.keys(packages), ['vite']];

  const variables = [...settings.map(asVariable), 'NODE_ENV=production'];
  // An install takes a second, so several settings are tried at once: each can only take something away.
  const groups = groupsOf(variables).map((members) => ({ members, installed: once(() => tryAll(members)) }));
  const tryAll = (members: readonly string[]) => install(asEnvironment(members)).catch(String);

  it.each(variables)('with %s', async (variable) => {
    const group = groups.find(({ members }) => members.includes(variable))!;
    const installed = await group.installed();
    const isWhole = isDeepStrictEqual(installed, all);
    expect(isWhole ? installed : await tryAll([variable])).toEqual(all); // it may have been another one of the group
  });

  it.each(groups.map(({ members, installed }) => [members.join(' '), installed] as const))(
    'with all of these: %s',
    async (_, installed) => {
      expect(await installed()).toEqual(all);
    },
  );

  it("with all of these settings in the user's .npmrc", async () => {
    const userconfig = join(root, 'user.npmrc');
    await writeFile(userconfig, settings.join('\n'));
    expect(await install({ npm_config_userconfig: userconfig })).toEqual(all);
  });
});

describe('how npm reaches its registry is left as it is', () => {
  const asked: string[] = [];
  const registry = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(404).end();
  });
  beforeAll(async () => {
    await nextEvent(registry.listen(0, '127.0.0.1'), 'listening');
    const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
    const { resolved: _, ...sharp } = lock.packages['node_modules/sharp'];
    lock.packages[''].dependencies['sharp'] = '1.0.0';
    lock.packages['node_modules/sharp'] = { ...sharp, integrity: 'sha512-AAAA' };
    for (const [name, value] of [
      ['package', lock.packages['']],
      ['package-lock', lock],
    ] as const)
      await writeFile(join(root, `${name}.json`), JSON.stringify(value));
    await writeFile(
      join(root, 'user.npmrc'),
      `registry=http://127.0.0.1:${(registry.address() as AddressInfo).port}/`,
    );
  });
  afterAll(() => void registry.close());

  it('with the registry of an .npmrc', async () => {
    const changes = { npm_config_userconfig: join(root, 'user.npmrc'), npm_config_registry: undefined };
    await expect(install(changes)).rejects.toThrow('E404');
    expect(asked).toContain('/sharp');
  });

  it('with the wish to stay offline, which the message names', async () => {
    asked.length = 0;
    const changes = { npm_config_userconfig: join(root, 'user.npmrc'), npm_config_offline: 'true' };
    await expect(install(changes)).rejects.toThrow(
      /ENOTCACHED[^]*What to do:.*\n.*npm config list": offline/,
    );
    expect(asked).toEqual([]);
  });
});

/** @returns 'npm_config_dry_run=true', as npm itself passes on the settings of `npm start` */
function asVariable(setting: string): string {
  const [name = '', value] = setting.split('=');
  return `npm_config_${name.replaceAll('-', '_')}=${value}`;
}

function asEnvironment(variables: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(variables.map((each) => each.split('=')));
}

/** Values of the same variable are in different groups. */
function groupsOf(variables: readonly string[]): string[][] {
  const count = 3;
  return Array.from({ length: count }, (_, group) => variables.filter((_each, at) => at % count === group));
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | null = null;
  return () => (result ??= work());
}

/** @returns the integrity of the packed file */
async function pack(name: string, rest: object): Promise<string> {
  const folder = join(root, name, 'package');
  await mkdir(folder, { recursive: true });
  const scripts = 'hasInstallScript' in rest ? { install: 'exit 1' } : {};
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', ...rest, scripts }));
  await writeFile(join(folder, 'index.js'), 'exports.transform = async () => {};\n');
  const file = join(root, `${name}.tgz`);
  execFileSync('tar', ['-czf', file, '-C', join(root, name), 'package']);
  return `sha512-${createHash('sha512')
    .update(await readFile(file))
    .digest('base64')}`;
}

/** @returns the names of the packages and of the commands that are there afterwards */
async function install(changes: NodeJS.ProcessEnv): Promise<[string[], string[]]> {
  const folder = join(root, 'node_modules');
  await rm(folder, { recursive: true, force: true });
  const { signal } = new AbortController();
  const env = { ...process.env, ...changes };
  await step.make({ root, cacheDir: join(root, 'cache'), env, signal, doing: () => {} });
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  return [names.toSorted(), await readdir(join(folder, '.bin'))];
}
