/** A TensorFlow that computes, and set-ups that want another one. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  addPip,
  bindingFolder,
  type Checkout,
  createCheckout,
  created,
  offline,
  setupModule,
  startSetup,
} from './checkout.ts';

let checkout: Checkout;
beforeEach(async () => {
  checkout = await createCheckout();
  await writeFile(join(folder(), 'dist/index.js'), program);
  await addPip(checkout, 'exit 1');
});

/** The package with a binding that "computes" as long as its file says so: tfjs's own CPU backend does. */
const program = `
  const tf = require('@tensorflow/tfjs');
  const text = require('node:fs').readFileSync(__dirname + '/../lib/napi-v8/tfjs_binding.node', 'utf8');
  if (text !== 'computes') throw new Error('invalid ELF header');
  tf.copyRegisteredKernels('cpu', 'tensorflow');
  const parts = { binding: { TF_Version: '1.2.3' }, isUsingGpuDevice: false };
  tf.registerBackend('tensorflow', () => Object.assign(tf.findBackendFactory('cpu')(), parts));`;

const folder = () => join(checkout.root, bindingFolder, '../..');
const lib = () => join(folder(), 'lib');
const binding = () => join(checkout.root, bindingFolder, 'tfjs_binding.node');
const asBefore = '! TensorFlow 1.2.3, CPU, as before: no other TensorFlow can be had';

async function addBinding(to: string): Promise<void> {
  await mkdir(join(to, 'lib/napi-v8'), { recursive: true });
  await writeFile(join(to, 'lib/napi-v8/tfjs_binding.node'), 'computes');
  await mkdir(join(to, 'deps'));
}

/** As a set-up with another cache directory has left it; returns where it is kept. */
async function linkBinding(): Promise<string> {
  type Fill = (to: string) => Promise<void>;
  type Module = { keep: (directory: string, stop: AbortSignal, fill: Fill) => Promise<void> };
  const { keep } = await setupModule<Module>('cache');
  const kept = join(checkout.commands, 'kept');
  await keep(kept, new AbortController().signal, addBinding);
  for (const name of ['lib', 'deps']) await symlink(join(kept, name), join(folder(), name));
  return kept;
}

/** The package's own installer runs this script, and makes a binding with this text. */
async function addInstaller(text: string, script = ''): Promise<void> {
  const made = `
    for (const path of ['lib/napi-v8', 'deps']) fs.mkdirSync(path, { recursive: true });
    fs.writeFileSync('lib/napi-v8/tfjs_binding.node', '${text}');`;
  await writeFile(join(folder(), 'scripts/install.js'), `const fs = require('node:fs'); ${script} ${made}`);
}

const setUp = (changes: NodeJS.ProcessEnv) =>
  startSetup(checkout, ['--only=tensorflow'], { ...offline, ...changes });

describe('a TensorFlow that computes', () => {
  it.each([
    ['linked', linkBinding],
    ['installed by its package', () => addBinding(folder())],
  ])('stays where no other one can be had: %s', async (_, add) => {
    await add();
    for (const ENGINE of ['auto', 'tensorflow', 'auto']) {
      const { code, output } = await setUp({ ENGINE }).ended;
      expect(output).toContain(asBefore);
      expect(output).toContain('ECONNREFUSED 127.0.0.1:9');
      expect(code).toBe(0);
      expect(await readFile(binding(), 'utf8')).toBe('computes');
    }
  });

  it('stays where the one that TENSORFLOW names does not compute', async () => {
    const kept = await linkBinding();
    await addInstaller('broken');
    const { code, output } = await setUp({ TENSORFLOW: 'stock' }).ended;
    expect(code).toBe(1);
    expect(output).toContain('invalid ELF header');
    expect(await readlink(lib())).toBe(join(kept, 'lib'));
  });

  it.each(['SIGINT', 'SIGKILL'] as const)('is back after %s, at the latest next time', async (signal) => {
    const kept = await linkBinding();
    const [begun, go] = [join(checkout.commands, 'begun'), join(checkout.commands, 'go')];
    execFileSync('mkfifo', [go]);
    await addInstaller('broken', `fs.writeFileSync('${begun}', ''); fs.readFileSync('${go}');`);
    const { child, ended } = setUp({ TENSORFLOW: 'stock' });
    await created(begun);
    expect(existsSync(lib())).toBe(false);
    child.kill(signal);
    if (signal === 'SIGKILL') await writeFile(go, ''); // ends the installer, which outlives set-up
    await ended;
    const back = await readlink(lib()).catch(() => null);
    expect(back === join(kept, 'lib') || signal === 'SIGKILL').toBe(true);
    await addInstaller('', 'process.exit(1);');
    expect((await setUp({}).ended).output).toContain(asBefore);
    expect(await readlink(lib())).toBe(join(kept, 'lib'));
  });

  it('gives way to another one that computes', async () => {
    await linkBinding();
    await addInstaller('computes');
    const { output } = await setUp({ TENSORFLOW: 'stock' }).ended;
    expect(output).toContain('✓ TensorFlow 1.2.3, CPU');
    expect(await readlink(lib())).toContain(checkout.cacheDir);
    expect(await readdir(folder())).not.toContain('.before');
  });

  it('does not stay once it is damaged', async () => {
    const kept = await linkBinding();
    await writeFile(join(kept, 'lib/napi-v8/tfjs_binding.node'), 'computed');
    const { output } = await setUp({}).ended;
    expect(output).toContain('! NO TensorFlow: wasm computes');
    expect(existsSync(binding())).toBe(false);
  });
});
