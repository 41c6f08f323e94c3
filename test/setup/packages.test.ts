/** The steps that bring npm packages, in checkouts of their own, with an npm that is a small script, or the real one. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  addCommand,
  type Checkout,
  createCheckout,
  notesIn,
  offline,
  repository,
  runSetup,
  setupModule,
} from './checkout.ts';

let checkout: Checkout;
beforeEach(async () => {
  checkout = await createCheckout();
});

const only = ['--only=packages'];

describe('npm packages', () => {
  it('are left alone where node_modules was installed from this lock file', async () => {
    await addCommand(checkout, 'npm', 'exit 1');
    expect(await runSetup(checkout)).toMatchObject({ code: 0 });
  });

  it('are installed when one is missing, once', async () => {
    const link = join(checkout.root, 'node_modules/zod');
    await unlink(link);
    const target = join(repository, 'node_modules/zod');
    await addCommand(
      checkout,
      'npm',
      `echo "$@" >> ${checkout.commands}/npm.args; ln -s "${target}" "${link}"`,
    );
    await runSetup(checkout, only);
    expect(await runSetup(checkout, only)).toMatchObject({ code: 0 });
    const calls = (await readFile(join(checkout.commands, 'npm.args'), 'utf8')).trimEnd().split('\n');
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatch(new RegExp(`^ci .*--cache ${checkout.cacheDir}/npm$`));
  });

  it('are installed when one has gone since the last set-up', async () => {
    await runSetup(checkout, only);
    await unlink(join(checkout.root, 'node_modules/zod'));
    await addCommand(checkout, 'npm', 'echo npm was asked; exit 1');
    expect((await runSetup(checkout, only)).output).toContain('npm was asked');
  });

  it.each(['version', 'integrity'])('are installed when the lock file has another %s of one', async (key) => {
    const path = join(checkout.root, 'package-lock.json');
    const lock = JSON.parse(await readFile(path, 'utf8'));
    lock.packages['node_modules/zod'][key] = 'other';
    await writeFile(path, JSON.stringify(lock));
    await addCommand(checkout, 'npm', 'echo npm was asked; exit 1');
    const { code, output } = await runSetup(checkout, only);
    expect(code).toBe(1);
    expect(output).toContain('npm was asked');
  });

  it('that npm leaves out end set-up with the name of one', async () => {
    await unlink(join(checkout.root, 'node_modules/zod'));
    await addCommand(checkout, 'npm', 'exit 0');
    const { code, output } = await runSetup(checkout, only);
    expect(code).toBe(1);
    expect(output).toContain('expected npm to install node_modules/zod as package-lock.json has it, but');
    expect(output).toContain('("npm config list": offline, before, min-release-age)');
  });

  it.each(['sharp', 'esbuild'])('that do not load are named, and installed anew: %s', async (name) => {
    const folder = join(checkout.root, 'node_modules', name);
    await unlink(folder);
    const content = '{"version": "1.0.0", "main": "index.cjs"}';
    const install = [
      `mkdir -p "${folder}"`,
      `echo '${content}' > "${folder}/package.json"`,
      `echo 'throw new Error("wrong CPU")' > "${folder}/index.cjs"`,
    ].join('; ');
    await addCommand(checkout, 'npm', install);
    for (const _ of [1, 2]) {
      const { code, output } = await runSetup(checkout, only);
      expect(code).toBe(1);
      expect(output).toContain(`the package ${name} does not load: wrong CPU\nWhat to do: see whether`);
    }
  });

  it('that npm cannot install end set-up with what npm said', async () => {
    await unlink(notesIn(checkout));
    await addCommand(checkout, 'npm', 'echo "npm error code ENOTFOUND" >&2; exit 7');
    const { code, output } = await runSetup(checkout, only);
    expect(code).toBe(1);
    expect(output).toContain('expected npm to install the packages of package-lock.json');
    expect(output).toContain('ended with exit code 7:\n    npm error code ENOTFOUND\nWhat to do:');
  });
});

describe('the packages of WebGPU', () => {
  const wanted = { ...offline, ENGINE: 'webgpu' };
  const placed = () => join(checkout.root, 'node_modules/.trainyard-webgpu');
  const dawn = () => join(placed(), 'node_modules/webgpu/index.js');

  it('that can not be had end set-up with what npm said and what to do', async () => {
    await addCommand(checkout, 'npm', 'echo "npm error code ENOTFOUND" >&2; exit 7');
    const { code, output } = await runSetup(checkout, ['--only=webgpu'], wanted);
    expect(code).toBe(1);
    expect(output).toMatch(
      /expected the packages of WebGPU, since ENGINE=webgpu, .*\n.*expected npm to install them, but .*\n.*ENOTFOUND/,
    );
    expect(output).toContain('What to do: mend that, then run the command again; ENGINE=auto does without');
  });

  it('have a lock file of their own, with a checksum of each and no registry', async () => {
    const lock = JSON.parse(
      await readFile(join(repository, 'scripts/setup/webgpu/package-lock.json'), 'utf8'),
    );
    const { '': _, ...packages } = lock.packages as Record<string, { integrity?: string; resolved?: string }>;
    for (const { integrity, resolved } of Object.values(packages)) {
      expect(integrity).toMatch(/^sha512-/);
      expect(resolved).toBeUndefined();
    }
    expect(packages['node_modules/webgpu']).toMatchObject({ version: '0.6.2' });
  });

  it('come from the cache, also where one is gone, and are found the next time', async (context) => {
    const online = { ...wanted, TRAINYARD_CACHE: process.env['TRAINYARD_CACHE'] };
    const cached = { ...online, npm_config_offline: 'true' };
    await placeAllBut('node_modules/webgpu');
    let { code, output } = await runSetup(checkout, ['--only=webgpu'], cached);
    if (code !== 0) {
      const filled = await runSetup(checkout, ['--only=webgpu'], online); // fills the cache of this machine
      if (filled.code !== 0) console.log(`WebGPU's packages in place are not tested: ${filled.output}`);
      context.skip(filled.code !== 0);
      await rm(join(placed(), 'node_modules/webgpu'), { recursive: true });
      ({ code, output } = await runSetup(checkout, ['--only=webgpu'], cached));
    }
    expect(code, output).toBe(0);
    expect(existsSync(dawn())).toBe(true);
    await addCommand(checkout, 'npm', 'exit 1');
    expect(await runSetup(checkout, ['--only=webgpu'], cached)).toMatchObject({ code: 0 });
  });

  /** As an earlier set-up has left them, and somebody has deleted one: only their manifests are looked at. */
  async function placeAllBut(gone: string): Promise<void> {
    const from = join(checkout.root, 'scripts/setup/webgpu');
    const lock = await readFile(join(from, 'package-lock.json'), 'utf8');
    const { packages } = JSON.parse(lock) as { packages: Record<string, object> };
    for (const [path, manifest] of Object.entries(packages).filter(([name]) => name !== gone)) {
      await mkdir(join(placed(), path), { recursive: true });
      await writeFile(join(placed(), path, 'package.json'), JSON.stringify(manifest));
    }
    await writeFile(join(placed(), 'package-lock.json'), lock);
    await writeFile(join(placed(), 'node_modules/.package-lock.json'), lock);
    const { lockDigest } = await setupModule<{ lockDigest: (folder: string) => string }>('packages');
    const notes = JSON.parse(await readFile(notesIn(checkout), 'utf8')) as object;
    await writeFile(notesIn(checkout), JSON.stringify({ ...notes, webgpu: lockDigest(from) }));
  }
});
