/** Real runs of set-up in checkouts of their own; what is slow or far away is played by small commands. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  addCommand,
  addPip,
  bindingFolder,
  type Checkout,
  createCheckout,
  created,
  notesIn,
  offline,
  repository,
  runSetup,
  setupModule,
  startSetup,
} from './setup/checkout.ts';
import { writeFakeWheels } from './setup/fake-wheels.ts';

let checkout: Checkout;
beforeEach(async () => {
  checkout = await createCheckout();
});

const noCache = /expected to keep downloads in \/\S+, but .*\nWhat to do: set TRAINYARD_CACHE/;
const hasWheel = process.platform === 'linux' && process.arch === 'x64';

describe('set-up as a whole', () => {
  it('brings a checkout into place, and finds all of it the next time', async () => {
    // With the engine of this machine: set-up has built it before the tests run, or has said why it can't.
    const here = existsSync(join(repository, bindingFolder, 'tfjs_binding.node'));
    const changes = here ? { ENGINE: 'auto', TRAINYARD_CACHE: process.env['TRAINYARD_CACHE'] } : {};
    const first = await runSetup(checkout, [], changes);
    expect(first).toMatchObject({ code: 0 });
    const second = await runSetup(checkout, [], changes);
    expect(second.code).toBe(0);
    expect(second.seconds).toBeLessThan(first.seconds); // no bound that a busy machine breaks
    expect(existsSync(join(checkout.root, bindingFolder, 'tfjs_binding.node'))).toBe(here);
  });

  it('prints one plain line a step, with its time, where the output is no terminal', async () => {
    const { output } = await runSetup(checkout);
    const isHeartbeat = (line: string) => /^ {2}.* … \d+ s$/.test(line); // on a machine that is busy
    const lines = output.split('\n').filter((line) => line !== '' && !isHeartbeat(line));
    expect(lines.map((line) => line.replace(/ {2,}\d+\.\d s$/, ''))).toEqual([
      `✓ Node ${process.versions.node}`,
      '✓ npm packages',
      '– TensorFlow not wanted: ENGINE=wasm',
      '✓ Redis 7.2.4',
      '✓ build',
      '  set-up done',
    ]);
  });

  it('says what it is busy with where a step takes longer', async () => {
    await unlink(notesIn(checkout));
    const go = join(checkout.commands, 'go');
    execFileSync('mkfifo', [go]);
    await addCommand(checkout, 'npm', `read -r _ < ${go}; exit 7`);
    const { child, ended } = startSetup(checkout);
    for await (const text of child.stdout)
      if (/^ {2}npm packages: npm ci … \d+ s$/m.test(String(text))) break;
    await writeFile(go, 'on\n');
    expect((await ended).output).toContain('ended with exit code 7');
  });

  it('goes on where nobody reads what it prints', async () => {
    const { child, ended } = startSetup(checkout);
    child.stdout.destroy();
    expect(await ended).toMatchObject({ code: 0, output: '' });
    expect(existsSync(join(checkout.root, 'dist/answer.js'))).toBe(true);
  });

  it('refuses a flag that it does not know', async () => {
    const { code, output } = await runSetup(checkout, ['--fast']);
    expect(code).toBe(1);
    expect(output).toMatch(
      /expected nothing or --no-redis, --browser, --verify, --retry, --only=\S+, got --fast/,
    );
  });

  it('refuses a cache directory that can be none', async () => {
    const { code, output } = await runSetup(checkout, [], { TRAINYARD_CACHE: '/dev/null/cache' });
    expect(code).toBe(1);
    expect(output).toMatch(noCache);
  });

  it.each(['/proc/nope/cache', '/dev/null', '/dev/null/cache'])(
    'takes no cache directory that can be none: %s',
    async (TRAINYARD_CACHE) => {
      type Module = { readSurroundings: (env: NodeJS.ProcessEnv, root: string) => object };
      const { readSurroundings } = await setupModule<Module>('environment');
      expect(() => readSurroundings({ TRAINYARD_CACHE }, repository)).toThrow(noCache);
    },
  );

  it('says which path the system refuses, and what to do', async () => {
    await mkdir(checkout.cacheDir);
    await writeFile(join(checkout.cacheDir, 'tensorflow'), '');
    await addPip(checkout, 'exit 1');
    const { code, output } = await runSetup(checkout, [], offline);
    expect(code).toBe(1);
    expect(output).toMatch(
      /expected to read and write .*, but EEXIST: .*\/tensorflow'\nWhat to do: mend that path/,
    );
    expect(output).not.toContain('    at ');
  });

  it('stops what it has started on Ctrl-C', async () => {
    await unlink(notesIn(checkout));
    const pidFile = join(checkout.commands, 'npm.pid');
    await addCommand(
      checkout,
      'npm',
      `echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; exec sleep 60`,
    );
    const { child, ended } = startSetup(checkout);
    await created(pidFile);
    child.kill('SIGINT');
    const { code, output } = await ended;
    expect(code).toBe(130);
    expect(output).toContain('set-up stopped by SIGINT');
    const npm = Number(await readFile(pidFile, 'utf8'));
    expect(() => process.kill(npm, 0)).toThrow('ESRCH');
  });

  it.each([
    ['ends', undefined, 129, 'set-up stopped by SIGHUP'],
    ['goes on under nohup', 'true', 1, 'ended with exit code 7'],
  ])('%s when the terminal closes', async (_, IGNORE_SIGHUP, status, text) => {
    await unlink(notesIn(checkout));
    const [begun, go] = [join(checkout.commands, 'begun'), join(checkout.commands, 'go')];
    await addCommand(checkout, 'npm', `: > ${begun}; read -r _ < ${go}; exit 7`);
    execFileSync('mkfifo', [go]);
    const { child, ended } = startSetup(checkout, [], { IGNORE_SIGHUP });
    await created(begun);
    child.kill('SIGHUP');
    if (IGNORE_SIGHUP) await writeFile(go, 'on\n');
    const { code, output } = await ended;
    expect(output).toContain(text);
    expect(code).toBe(status);
  });
});

describe('TensorFlow', () => {
  it('that nobody can provide leaves wasm, loudly, with the reasons', async () => {
    await addPip(checkout, 'echo "no route to the index"; exit 1');
    await mkdir(join(checkout.root, bindingFolder), { recursive: true });
    await writeFile(join(checkout.root, bindingFolder, 'tfjs_binding.node'), 'an old one');
    const { code, output } = await runSetup(checkout, ['--only=tensorflow'], offline);
    expect(code).toBe(0);
    expect(output).toContain('! NO TensorFlow: wasm computes');
    expect(output).toContain(hasWheel ? 'no route to the index' : 'expected x86-64 Linux with glibc');
    expect(output).toContain('ECONNREFUSED 127.0.0.1:9');
    expect(existsSync(join(checkout.root, bindingFolder, 'tfjs_binding.node'))).toBe(false);
  });

  it('that nobody can provide is asked for again by "npm run setup" only', async () => {
    await addPip(checkout, `echo asked >> ${checkout.commands}/pip.calls; exit 1`);
    const calls = async () =>
      (await readFile(join(checkout.commands, 'pip.calls'), 'utf8')).split('\n').length - 1;
    await runSetup(checkout, ['--only=tensorflow'], offline);
    const { output } = await runSetup(checkout, ['--only=tensorflow'], offline);
    expect(output).toContain('! NO TensorFlow: wasm computes');
    const before = hasWheel ? await calls() : 0;
    await runSetup(checkout, ['--only=tensorflow', '--retry'], offline);
    expect(hasWheel ? await calls() : 1).toBe(before + 1);
  });

  it('that nobody can provide ends set-up where ENGINE=tensorflow asks for it', async () => {
    await addPip(checkout, 'exit 1');
    const { code, output } = await runSetup(checkout, ['--only=tensorflow'], {
      ...offline,
      ENGINE: 'tensorflow',
    });
    expect(code).toBe(1);
    expect(output).toContain('expected TensorFlow, since ENGINE=tensorflow');
  });

  it('is what TENSORFLOW names, or set-up fails', async () => {
    await addPip(checkout, 'echo "no route to the index"; exit 1');
    const cuda = await runSetup(checkout, ['--only=tensorflow'], { ...offline, TENSORFLOW: 'cuda' });
    expect(cuda.code).toBe(1);
    expect(cuda.output).toContain("expected TensorFlow, since TENSORFLOW=cuda, but it can't be had:");
    expect(cuda.output).not.toContain('installer');
    const stock = await runSetup(checkout, ['--only=tensorflow'], { ...offline, TENSORFLOW: 'stock' });
    expect(stock.code).toBe(1);
    expect(stock.output).toContain("libtensorflow from the package's own installer: expected");
    expect(stock.output).not.toContain('wheel');
    const other = await runSetup(checkout, ['--only=tensorflow'], { ...offline, TENSORFLOW: 'rocm' });
    expect(other.output).toContain('expected TENSORFLOW to be cpu, cuda, stock or unset, got rocm');
  });

  it.runIf(hasWheel)(
    'with CUDA is taken from docker/wheels before any index, libraries side by side',
    async () => {
      writeFakeWheels(join(checkout.root, 'docker/wheels'));
      const compiler = 'while [ "$1" != -o ]; do shift; done; echo "no binding" > "$2"';
      await addCommand(checkout, 'g++', compiler);
      const { output } = await runSetup(checkout, ['--only=tensorflow'], { ...offline, TENSORFLOW: 'cuda' });
      expect(output).toContain('expected the binding to load and compute'); // all but the binding is there
      const [kept] = await readdir(join(checkout.cacheDir, 'tensorflow'));
      expect(kept).toMatch(/^2\.21\.0-cuda-/);
      const deps = join(checkout.cacheDir, 'tensorflow', kept!, 'deps');
      expect(await readFile(join(deps, 'variant'), 'utf8')).toBe('cuda');
      expect(await readFile(join(deps, 'nvidia/cudnn/lib/libcudnn.so.9'), 'utf8')).toBe('cudnn');
      expect(await readFile(join(deps, 'nvidia/cublas/lib/libcublas.so.12'), 'utf8')).toBe('cublas');
      expect(await readFile(join(deps, 'lib/libtensorflow.so'), 'utf8')).toBe('libtensorflow_cc.so.2');
      for (const name of ['numpy', 'lib/python', 'lib/include'])
        expect(existsSync(join(deps, name))).toBe(false);
    },
  );

  it.runIf(hasWheel)('is not taken from a wheel with another checksum', async () => {
    await addPip(checkout, 'echo forged > "$2/tensorflow_cpu.whl"');
    const { output } = await runSetup(checkout, ['--only=tensorflow'], offline);
    expect(output).toMatch(/expected tensorflow_cpu\.whl to have SHA-256 2b847d21\w+, got \w+: not used/);
    expect(await readdir(join(checkout.cacheDir, 'tensorflow'))).toEqual([]);
  });
});

describe('the build', () => {
  const dist = (name: string) => join(checkout.root, 'dist', name);
  const source = (name: string) => join(checkout.root, 'src', name);

  it('is made again only when a source has changed', async () => {
    await runSetup(checkout);
    const { mtimeMs } = await stat(dist('answer.js'));
    await runSetup(checkout);
    expect((await stat(dist('answer.js'))).mtimeMs).toBe(mtimeMs);
    await writeFile(source('answer.ts'), 'export const answer = 43;\n');
    await runSetup(checkout);
    expect(await readFile(dist('answer.js'), 'utf8')).toContain('43');
  });

  it('has nothing left of a source that is gone', async () => {
    await mkdir(source('old'));
    await writeFile(source('old/part.ts'), 'export const part = 1;\n');
    await runSetup(checkout);
    expect(existsSync(dist('old/part.js'))).toBe(true);
    await rm(source('old'), { recursive: true });
    await runSetup(checkout);
    expect(existsSync(dist('old'))).toBe(false);
  });

  it('gets back a file that was deleted', async () => {
    await runSetup(checkout);
    await unlink(dist('answer.js'));
    await runSetup(checkout);
    expect(existsSync(dist('answer.js'))).toBe(true);
  });

  it('that fails ends set-up with the line to correct, and is tried again', async () => {
    await writeFile(source('answer.ts'), "export const answer: number = 'many';\n");
    for (const _ of [1, 2]) {
      const { code, output } = await runSetup(checkout);
      expect(code).toBe(1);
      expect(output).toMatch(/src\/answer\.ts\(1,14\): error TS2322/);
    }
  });
});
