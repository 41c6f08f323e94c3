/** A checkout and a data directory whose paths have characters that URLs, shells and Redis read in ways of their own. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startService, trainToEnd } from '../../harness/service.ts';
import { repository } from '../setup/checkout.ts';
import { temporaryDirectory } from '../temporary.ts';

const name = 'Zahlen für #1 & 100%25 100% ? \'a\' "b" $HOME; `c` *';
const dataName = `${name} \\ n`; // Node itself loads no module below a path with a backslash
const copied = ['package.json', 'package-lock.json', '.npmrc', 'tsconfig.json', 'tsconfig.build.json'];
const folders = ['scripts', 'src', 'web', 'dist'];

/** This checkout once more, as it is built; the packages by hard links, since symbolic ones lead away from its path. */
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
  it('does for a checkout and its data: set-up, training, prediction, restart', {
    timeout: 180_000,
  }, async () => {
    const root = join(await temporaryDirectory(), name, 'checkout');
    await copyCheckout(root);
    const dataDir = join(root, 'data', dataName);
    const command = {
      program: 'npm',
      args: ['start', '--', '--data-dir', dataDir, '--first-model', 'false'],
      cwd: root,
    };
    const start = async () => {
      const service = await startService('overruled by the option', {}, command);
      onTestFinished(async () => void (await service.end()));
      await service.printed('Ctrl-C stops', 60_000);
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
    await expect.poll(answered, { timeout: 20_000 }).toBe(true);
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
  });

  it('does for building all of the program and its page', { timeout: 120_000 }, async () => {
    const buildable = name.replaceAll(/[?*]/g, ''); // in which the compilers see a query and a pattern
    const root = join(await temporaryDirectory(), buildable, 'checkout');
    await copyCheckout(root);
    execFileSync('rm', ['-r', join(root, 'dist')]);
    const built = execFileSync(process.execPath, ['scripts/setup.mjs', '--only=packages,build'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(built).toContain('✓ build');
    for (const file of ['start.js', 'web/index.html'])
      expect(existsSync(join(root, 'dist', file))).toBe(true);
    const help = execFileSync(process.execPath, ['dist/start.js', '--help'], { cwd: root, encoding: 'utf8' });
    expect(help).toContain('--data-dir PATH');
  });
});
