import { symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { addCommand, type Checkout, createCheckout, runSetup } from './checkout.ts';

let checkout: Checkout;
beforeEach(async () => {
  checkout = await createCheckout();
});

describe('Redis', () => {
  it('is not looked for with --no-redis', async () => {
    await addCommand(checkout, 'redis-server', 'exit 1');
    const { code, output } = await runSetup(checkout, ['--no-redis']);
    expect(code).toBe(0);
    expect(output).not.toContain('Redis');
  });

  it('that is missing ends set-up with what to do', async () => {
    await unlink(join(checkout.commands, 'redis-server'));
    await symlink('/bin/false', join(checkout.commands, 'apt-get'));
    const { code, output } = await runSetup(checkout, [], { PATH: checkout.commands });
    expect(code).toBe(1);
    expect(output).toContain('expected redis-server or valkey-server 6.2 or newer on the PATH');
    expect(output).toMatch(
      /What to do: run this, then the command again:\n {4}(sudo )?apt-get install -y redis-server/,
    );
  });
});

describe('Chromium', () => {
  it('is looked for with --browser alone', async () => {
    await addCommand(checkout, 'chromium-headless-shell', 'echo "Chromium 142.0.7444.59 built on Debian"');
    const only = '--only=redis,browser';
    expect((await runSetup(checkout, [only])).output).not.toContain('Chromium');
    const { code, output } = await runSetup(checkout, [only, '--browser']);
    expect(code).toBe(0);
    expect(output).toContain('✓ Chromium 142.0.7444.59');
  });

  it.each([
    ['is missing', null],
    ['is a note that it is elsewhere', 'echo "this is a snap"'],
  ])('that %s is done without, and said', async (_, script) => {
    if (script !== null) await addCommand(checkout, 'chromium', script);
    await symlink('/bin/false', join(checkout.commands, 'apt-get'));
    const { code, output } = await runSetup(checkout, ['--only=browser', '--browser'], {
      PATH: checkout.commands,
    });
    expect(code).toBe(0);
    expect(output).toContain('! no Chromium, so the page is not tested: ');
  });
});
