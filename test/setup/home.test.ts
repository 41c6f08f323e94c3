/** Users without a home, or without one that they may write to: containers and system accounts have such users. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { addCommand, type Checkout, createCheckout, startSetup } from './checkout.ts';

/** Root may write anywhere, so root takes a user that has no entry in passwd. */
const isRoot = process.getuid?.() === 0;
const user = isRoot ? { uid: 54_321, gid: 54_321 } : {};
const canBeUser = spawnSync(process.execPath, ['--version'], user).status === 0;
if (!canBeUser) console.log(`users without a home are not tested: they can't run ${process.execPath}`);

let checkout: Checkout;
let base: string;
beforeEach(async () => {
  checkout = await createCheckout({ packages: false });
  base = dirname(checkout.root);
  if (isRoot) execFileSync('chown', ['-Rh', `${user.uid}:${user.gid}`, base]);
});

/** Only what needs no package: those of this checkout may be closed to the user. */
const runAs = (args: string[], changes: NodeJS.ProcessEnv) => {
  const home = { TRAINYARD_CACHE: undefined, XDG_CACHE_HOME: undefined, ...changes };
  return startSetup(checkout, args, home, user).ended;
};

describe.skipIf(!canBeUser)('set-up keeps its downloads in the checkout', () => {
  const nowhere = ['', 'relative', '/proc/nonexistent', '/dev/null', ...(isRoot ? [undefined] : [])]; // or in passwd
  it.each(nowhere)('where HOME is %j', async (HOME) => {
    const { code, output } = await runAs(['--only=redis'], { HOME });
    expect(code).toBe(0);
    expect(output).toContain(`– downloads are kept in ${join(checkout.root, '.cache')} `);
    expect(output).toContain('\n    this user has no home directory; TRAINYARD_CACHE names another place\n');
    expect(existsSync(join(checkout.root, '.cache'))).toBe(true);
  });

  it('where HOME is /', async () => {
    const { code, output } = await runAs(['--only=redis'], { HOME: '/' });
    expect(code).toBe(0);
    expect(output).toMatch(/– downloads are kept in .*\n {4}E(ACCES|ROFS): .*'\/\.cache'/);
  });

  it.each(['home', 'home/.cache/trainyard'])('where %s may not be written to', async (name) => {
    await mkdir(join(base, name), { recursive: true });
    await chmod(join(base, name), 0o555);
    if (isRoot) execFileSync('chown', ['-R', '0:0', join(base, name)]);
    const { code, output } = await runAs(['--only=redis'], { HOME: join(base, 'home') });
    expect(code).toBe(0);
    expect(output).toMatch(/– downloads are kept in .*\n {4}EACCES: .*\/home/);
  });

  it('and npm gets a home there', async () => {
    await addCommand(checkout, 'npm', 'echo "home: $HOME"; exit 1');
    const { output } = await runAs(['--only=packages'], { HOME: '/proc/nonexistent' });
    expect(output).toContain(`home: ${join(checkout.root, '.cache')}`);
  });
});

describe.skipIf(!canBeUser)('set-up keeps its downloads', () => {
  it('in XDG_CACHE_HOME, without a word', async () => {
    const XDG_CACHE_HOME = join(base, 'xdg');
    const { code, output } = await runAs(['--only=redis'], { HOME: '/proc/nonexistent', XDG_CACHE_HOME });
    expect(code).toBe(0);
    expect(output).not.toContain('downloads');
    expect(existsSync(join(XDG_CACHE_HOME, 'trainyard'))).toBe(true);
  });

  it('nowhere, and names TRAINYARD_CACHE, where the checkout may not be written to either', async () => {
    await chmod(checkout.root, 0o555);
    if (isRoot) execFileSync('chown', ['0:0', checkout.root]);
    const { code, output } = await runAs(['--only=redis'], { HOME: '/proc/nonexistent' });
    await chmod(checkout.root, 0o755); // so that it can be deleted
    expect(code).toBe(1);
    expect(output).toMatch(
      /expected to keep downloads in .*\.cache, but this user has no home directory; EACCES/,
    );
    expect(output).toContain('What to do: set TRAINYARD_CACHE to a directory that you can write in');
  });

  it('where TRAINYARD_CACHE says, or not at all', async () => {
    const { code, output } = await runAs(['--only=redis'], { TRAINYARD_CACHE: '/proc/cache' });
    expect(code).toBe(1);
    expect(output).toContain('expected to keep downloads in /proc/cache, but ');
    expect(existsSync(join(checkout.root, '.cache'))).toBe(false);
  });
});
