/** A checkout and a data directory whose paths have characters that URLs, shells and Redis read in ways of their own. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startService, trainToEnd } from '../../harness/service.ts';
import { repository } from '../setup/checkout.ts';
import { temporaryDirectory } from '../temporary.ts';

const name = 'Zahlen für #1 & 100%25 100% ? \'a\' "b" $HOME; `c` *';
const dataName = `${name} \\ n`; // Node itself loads no module below a path with a backslash
const copied = ['package.json', 'package-lock.json', '.npmrc', 'tsconfig.json', 'tsconfig.build.json'];
const folders = ['scripts', 'src', 'web'];

/** This checkout once more, not built; the packages by hard links, since symbolic ones lead away from its path. */
async function copyCheckout(root: string): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const part of [...copied, ...folders]) {
    await cp(join(repository, part), join(root, part), { recursive: true });
  }
  const packages = [join(repository, 'node_modules'), join(root, 'node_modules')];
  try {
    execFileSync('cp', ['-Rl', ...packages], { stdio: 'pipe' });
  } catch {
    execFileSync('cp', ['-R', ...packages]); // another file system
  }
}

describe('a path with odd characters', () => {
  it('does for building all of the program and its page, and for running it elsewhere: training, prediction, restart', async () => {
    const base = await temporaryDirectory();
    const buildable = join(base, name.replaceAll(/[?*]/g, ''), 'checkout'); // else the compilers see a query and a pattern
    await copyCheckout(buildable);
    expect(build(buildable)).toContain('✓ build');
    await mkdir(join(base, name));
    const root = join(base, name, 'checkout');
    await rename(buildable, root);
    await run(root);
  });
});

/** @returns what it prints */
function build(root: string): string {
  const built = execFileSync(process.execPath, ['scripts/setup.mjs', '--only=packages,build'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const file of ['start.js', 'web/index.html']) expect(existsSync(join(root, 'dist', file))).toBe(true);
  const help = execFileSync(process.execPath, ['dist/start.js', '--help'], { cwd: root, encoding: 'utf8' });
  expect(help).toContain('--data-dir PATH');
  return built;
}

/** Set-up, a training, a prediction and a restart, on data at another odd path. */
async function run(root: string): Promise<void> {
  const dataDir = join(root, 'data', dataName);
  const command = {
    program: 'npm',
    args: ['start', '--', '--data-dir', dataDir, '--first-model', 'false'],
    cwd: root,
  };
  const start = async () => {
    const service = await startService('overruled by the option', {}, command);
    onTestFinished(async () => void (await service.end()));
    await service.printed('Ctrl-C stops');
    return service;
  };
  const service = await start();
  expect(service.output()).toContain('✓ build');
  const { address } = service;
  const request = { trainImages: 320, testImages: 100, batchSize: 32, seed: 7 };
  expect(await trainToEnd(address, request)).toMatchObject({ status: 'succeeded', modelVersion: 1 });
  const picture = await fetch(`${address}/datasets/mnist/test/0.png`);
  const body = Buffer.from(await picture.arrayBuffer());
  const headers = { 'content-type': 'image/png' };
  const answered = async () =>
    (await fetch(`${address}/predict`, { method: 'POST', headers, body })).status === 200;
  await expect.poll(answered).toBe(true);
  expect((await fetch(`${address}/`)).headers.get('content-type')).toContain('text/html');
  const redisFiles = join(dataDir, 'redis', 'appendonlydir', 'appendonly.aof.manifest');
  expect(await readFile(redisFiles, 'utf8')).toContain('appendonly.aof');
  const listed = execFileSync('npx', ['trainyard', 'models', '--url', address], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(listed).toContain('champion');
  expect(await service.end()).toBe(0);
  const again = await start();
  const jobs = (await (await fetch(`${again.address}/jobs`)).json()) as { data: unknown[] };
  expect(jobs.data).toHaveLength(1);
}
