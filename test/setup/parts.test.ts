/** The parts of set-up whose cases are too many, or too rare, for whole runs. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { temporaryDirectory } from '../temporary.ts';
import { addCommand, type Checkout, setupModule } from './checkout.ts';

const { signal } = new AbortController();

describe('the Node version', async () => {
  type Module = { unsupportedNode: (version: string) => string | null };
  const { unsupportedNode } = await setupModule<Module>('node-version');

  it.each(['20.19.0', '20.20.2', '22.12.0', '22.23.3', '23.0.0', '24.0.0', '26.1.0'])(
    '%s is taken',
    (version) => {
      expect(unsupportedNode(version)).toBeNull();
    },
  );

  it.each(['12.22.12', '18.20.8', '20.18.3', '21.7.3', '22.11.0'])('%s is refused by name', (version) => {
    expect(unsupportedNode(version)).toMatch(new RegExp(`expected Node.js 20.19 or newer.*got ${version}`));
  });
});

describe('a kept directory', async () => {
  type Options = { full: boolean; signal: AbortSignal };
  type Fill = (fresh: string) => Promise<void>;
  type Module = {
    damageOf: (directory: string, options: Options) => Promise<string | null>;
    keep: (directory: string, stop: AbortSignal, fill: Fill) => Promise<void>;
  };
  const { damageOf, keep } = await setupModule<Module>('cache');
  const cheap = { full: false, signal };
  const full = { full: true, signal };

  let parent: string;
  let directory: string;
  beforeEach(async () => {
    parent = await temporaryDirectory();
    directory = join(parent, 'kept');
    await keep(directory, signal, fillWith('0123456789'));
  });

  const fillWith = (text: string) => async (fresh: string) => {
    await mkdir(join(fresh, 'lib'));
    await writeFile(join(fresh, 'lib/library.so'), text);
  };
  const library = () => join(directory, 'lib/library.so');

  it('is whole as it was written', async () => {
    expect(await damageOf(directory, full)).toBeNull();
  });

  it('is not there before it is filled', async () => {
    expect(await damageOf(join(parent, 'other'), cheap)).toBe('manifest.json is missing or torn');
  });

  it('is damaged when a file is shorter', async () => {
    await writeFile(library(), '01234');
    expect(await damageOf(directory, cheap)).toBe('expected lib/library.so to have 10 bytes, it has 5');
  });

  it('is damaged when a file is gone', async () => {
    await rm(library());
    expect(await damageOf(directory, cheap)).toBe('lib/library.so is missing');
  });

  it('is damaged when a file has other content of the same size, on a full check', async () => {
    await writeFile(library(), '012345678!');
    expect(await damageOf(directory, full)).toBe('lib/library.so is not what was written (SHA-256)');
  });

  it.each(['', '{', '{"files": 1}'])('is damaged with the manifest %j', async (text) => {
    await writeFile(join(directory, 'manifest.json'), text);
    expect(await damageOf(directory, cheap)).toBe('manifest.json is missing or torn');
  });

  it('is replaced when it is damaged', async () => {
    await writeFile(library(), '');
    await keep(directory, signal, fillWith('new'));
    expect(await readFile(library(), 'utf8')).toBe('new');
    expect(await damageOf(directory, full)).toBeNull();
    expect(await readdir(parent)).toEqual(['kept']);
  });

  it('stays as it is when it is whole by the time another one is filled', async () => {
    await Promise.all([
      keep(directory, signal, fillWith('second')),
      keep(directory, signal, fillWith('third')),
    ]);
    expect(await readFile(library(), 'utf8')).toBe('0123456789');
    expect(await readdir(parent)).toEqual(['kept']);
  });

  it('leaves nothing when filling fails', async () => {
    const failing = keep(join(parent, 'other'), signal, () => Promise.reject(new Error('torn')));
    await expect(failing).rejects.toThrow('torn');
    expect(await readdir(parent)).toEqual(['kept']);
  });

  it('leaves nothing when it is stopped', async () => {
    const stopping = new AbortController();
    const fill = async (fresh: string) => {
      stopping.abort(new Error('stopped'));
      await fillWith('x')(fresh);
    };
    await expect(keep(join(parent, 'other'), stopping.signal, fill)).rejects.toThrow(/stopped|aborted/);
    expect(await readdir(parent)).toEqual(['kept']);
  });
});

describe('the report', async () => {
  type Report = {
    doing(name: string): void;
    step(title: string, work: () => Promise<{ mark: string; text: string }>): Promise<void>;
  };
  type Module = { createReport: (stream: object) => Report };
  const { createReport } = await setupModule<Module>('report');

  it.each([
    [false, ['build', 'build: tsc', 'build: page']],
    [true, ['build', 'build', 'build: tsc', 'build: tsc', 'build: page']],
  ])('says in a pipe only what is new; on a terminal: %s', async (isTTY, expected) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const lines: string[] = [];
    const report = createReport({ isTTY, on: () => {}, write: (text: string) => lines.push(text) });
    await report.step('build', async () => {
      vi.advanceTimersByTime(10_000);
      for (const task of ['tsc', 'tsc', 'page']) {
        report.doing(task);
        vi.advanceTimersByTime(10_000);
      }
      return { mark: '✓', text: 'build' };
    });
    expect(lines.slice(0, -1).map((line) => / {2}(.*) …/.exec(line)![1])).toEqual(expected);
  });
});

describe('the lock', async () => {
  type Module = { takeLock: (cacheDir: string, stop: AbortSignal) => Promise<() => void> };
  const { takeLock } = await setupModule<Module>('lock');

  it('lets a second set-up on the same cache go on when the first has ended', async () => {
    const directory = await temporaryDirectory();
    const order: string[] = [];
    const release = await takeLock(directory, signal);
    const second = takeLock(directory, signal).finally(() => order.push('second'));
    await new Promise(setImmediate);
    order.push('first ends');
    release();
    (await second)();
    expect(order).toEqual(['first ends', 'second']);
  });

  it('does not hold up a set-up on another cache', async () => {
    const [first, second] = [await temporaryDirectory(), await temporaryDirectory()];
    const releases = await Promise.all([takeLock(first, signal), takeLock(second, signal)]);
    expect(releases).toHaveLength(2);
    for (const release of releases) release();
  });

  it('is waited for no longer when set-up is told to stop', async () => {
    const directory = await temporaryDirectory();
    const stopping = new AbortController();
    const release = await takeLock(directory, signal);
    const second = takeLock(directory, stopping.signal);
    stopping.abort(new Error('stopped'));
    await expect(second).rejects.toThrow('stopped');
    release();
  });
});

describe('Redis', async () => {
  type System = { isRoot: boolean; ids: string[]; manager: string | null };
  type Outcome = { mark: string; text: string };
  type Step = { check(context: object): Promise<Outcome | null>; make(context: object): Promise<Outcome> };
  const { redis } = await setupModule<{ redis: Step }>('redis');
  const debian: System = { isRoot: false, ids: ['debian'], manager: 'apt' };

  let commands: string;
  beforeEach(async () => {
    commands = await temporaryDirectory();
  });

  const add = (name: string, script: string) => addCommand({ commands } as Checkout, name, script);
  const provide = async (system: System = debian, env: NodeJS.ProcessEnv = {}) => {
    const context = { env: { PATH: commands, ...env }, system, signal, doing: () => {} };
    return (await redis.check(context)) ?? redis.make(context);
  };

  it('is taken from REDIS_URL', async () => {
    expect(await provide(debian, { REDIS_URL: 'redis://127.0.0.1' })).toMatchObject({ mark: '–' });
  });

  it('may be Valkey', async () => {
    await add('valkey-server', 'echo "Valkey server v=8.1.1 sha=0"');
    expect(await provide()).toEqual({ mark: '✓', text: 'Valkey 8.1.1' });
  });

  it.each(['6.2.0', '7.0.15', '10.0.1'])('%s is new enough', async (version) => {
    await add('redis-server', `echo "Redis server v=${version} sha=0"`);
    expect(await provide()).toMatchObject({ text: `Redis ${version}` });
  });

  it.each(['6.0.16', '5.0.7'])('%s is too old, and said to be', async (version) => {
    await add('redis-server', `echo "Redis server v=${version} sha=0"`);
    await expect(provide()).rejects.toThrow(
      `6.2 or newer on the PATH, but ${commands}/redis-server is version ${version}`,
    );
  });

  it('that does not start is reported with what it printed', async () => {
    await add('redis-server', 'echo "cannot open shared object file"; exit 127');
    await expect(provide()).rejects.toThrow('cannot open shared object file');
  });

  it('is installed by root on Debian', async () => {
    const program = `printf '#!/bin/sh\\necho "Redis server v=7.0.15"\\n' > ${commands}/redis-server`;
    await add(
      'apt-get',
      `echo "$@" >> ${commands}/apt.args\n${program}\n/bin/chmod +x ${commands}/redis-server`,
    );
    expect(await provide({ ...debian, isRoot: true })).toEqual({ mark: '✓', text: 'Redis 7.0.15' });
    expect(await readFile(join(commands, 'apt.args'), 'utf8')).toMatch(
      /^install -y --no-install-recommends .* redis-server\n$/,
    );
  });

  it('is installed from fresh lists where the first try fails', async () => {
    const refuse = `[ $1 = update ] && : > ${commands}/updated\n[ -e ${commands}/updated ] || exit 100`;
    const program = `printf '#!/bin/sh\\necho "Redis server v=7.0.15"\\n' > ${commands}/redis-server`;
    await add('apt-get', `${refuse}\n${program}\n/bin/chmod +x ${commands}/redis-server`);
    expect(await provide({ ...debian, isRoot: true })).toMatchObject({ text: 'Redis 7.0.15' });
  });

  it('that apt-get cannot install ends with what it said', async () => {
    await add('apt-get', 'echo "E: Unable to locate package redis-server"; exit 100');
    await expect(provide({ ...debian, isRoot: true })).rejects.toThrow(
      'E: Unable to locate package redis-server',
    );
  });

  it.each([
    [debian, 'sudo apt-get install -y redis-server'],
    [{ isRoot: false, ids: ['fedora'], manager: 'dnf' }, 'sudo dnf install -y valkey'],
    [{ isRoot: true, ids: ['arch'], manager: 'pacman' }, '    pacman -S --needed valkey'],
    [{ isRoot: true, ids: ['alpine'], manager: 'apk' }, '    apk add valkey'],
    [{ isRoot: false, ids: ['opensuse', 'suse'], manager: 'zypper' }, 'sudo zypper install -y valkey'],
    [{ isRoot: false, ids: [], manager: 'brew' }, '    brew install redis'],
    [{ isRoot: false, ids: [], manager: null }, "install redis with this system's packages"],
  ])('that is missing on %j ends with the command to run', async (system, command) => {
    await expect(provide(system)).rejects.toThrow(command);
  });
});
