/** The step that brings the npm packages, in checkouts of its own, with an npm that is a small script. */
import { readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { addCommand, type Checkout, createCheckout, notesIn, repository, runSetup } from './checkout.ts';

let checkout: Checkout;
beforeEach(async () => {
  checkout = await createCheckout();
});

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
    await runSetup(checkout);
    expect(await runSetup(checkout)).toMatchObject({ code: 0 });
    const calls = (await readFile(join(checkout.commands, 'npm.args'), 'utf8')).trimEnd().split('\n');
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatch(new RegExp(`^ci .*--cache ${checkout.cacheDir}/npm$`));
  });

  it('are installed when one has gone since the last set-up', async () => {
    await runSetup(checkout);
    await unlink(join(checkout.root, 'node_modules/zod'));
    await addCommand(checkout, 'npm', 'echo npm was asked; exit 1');
    expect((await runSetup(checkout)).output).toContain('npm was asked');
  });

  it.each(['version', 'integrity'])('are installed when the lock file has another %s of one', async (key) => {
    const path = join(checkout.root, 'package-lock.json');
    const lock = JSON.parse(await readFile(path, 'utf8'));
    lock.packages['node_modules/zod'][key] = 'other';
    await writeFile(path, JSON.stringify(lock));
    await addCommand(checkout, 'npm', 'echo npm was asked; exit 1');
    const { code, output } = await runSetup(checkout);
    expect(code).toBe(1);
    expect(output).toContain('npm was asked');
  });

  it('that npm leaves out end set-up with the name of one', async () => {
    await unlink(join(checkout.root, 'node_modules/zod'));
    await addCommand(checkout, 'npm', 'exit 0');
    const { code, output } = await runSetup(checkout);
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
      const { code, output } = await runSetup(checkout);
      expect(code).toBe(1);
      expect(output).toContain(`the package ${name} does not load: wrong CPU\nWhat to do: see whether`);
    }
  });

  it('that npm cannot install end set-up with what npm said', async () => {
    await unlink(notesIn(checkout));
    await addCommand(checkout, 'npm', 'echo "npm error code ENOTFOUND" >&2; exit 7');
    const { code, output } = await runSetup(checkout);
    expect(code).toBe(1);
    expect(output).toContain('expected npm to install the packages of package-lock.json');
    expect(output).toContain('ended with exit code 7:\n    npm error code ENOTFOUND\nWhat to do:');
  });
});
