import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import {
  cudaEnvironment,
  readVariant,
  tryLibraries,
  tryLibrary,
} from '../../../src/model/device/cuda-libraries.ts';
import {
  examineDevice,
  expectRightProduct,
  missedGpu,
  requireGpu,
  summarise,
} from '../../../src/model/device/examine-device.ts';
import { temporaryDirectory } from '../../temporary.ts';

describe('a library', () => {
  it('that is there opens, though it is no addon', () => {
    expect(tryLibrary('libc.so.6')).toBeNull();
  });

  it("that is not there does not, in the loader's words", () => {
    expect(tryLibrary('libnothing.so.7')).toMatch(/^libnothing\.so\.7: cannot open shared object file/);
  });

  it('that is damaged does not', async () => {
    const path = join(await temporaryDirectory(), 'libdamaged.so');
    await writeFile(path, 'no library');
    expect(tryLibrary(path)).toMatch(/file too short|invalid ELF header/);
  });

  it('of CUDA is looked for beside TensorFlow first', async () => {
    const deps = await temporaryDirectory();
    await mkdir(join(deps, 'nvidia/cudnn/lib'), { recursive: true });
    await symlink('/lib/x86_64-linux-gnu/libc.so.6', join(deps, 'nvidia/cudnn/lib/libcudnn.so.9'));
    await writeFile(join(deps, 'variant'), 'cuda');
    expect(readVariant(deps)).toBe('cuda');
    const tried = new Map(tryLibraries('cuda', deps).map(({ name, problem }) => [name, problem]));
    expect(tried.get('libcudnn.so.9')).toBeNull();
    expect(tried.get('libcufft.so.11')).toMatch(/cannot open/);
    expect(tryLibraries('cpu', deps)).toEqual([]);
    const [path] = cudaEnvironment(deps)['LD_LIBRARY_PATH']!.split(':');
    expect(path).toBe(join(deps, 'nvidia/cudnn/lib'));
    expect(cudaEnvironment(await temporaryDirectory())).toEqual({});
  });
});

describe('a device', () => {
  it('whose examination fails is told with the line that says why', async () => {
    vi.stubEnv('NODE_OPTIONS', '--require ./missing.cjs'); // ends the child with a stack
    const message = expect.stringMatching(
      /it ended by exit code 1 after it had printed: Error: Cannot find module '.\/missing.cjs'; .*npm run setup/,
    );
    await expect(examineDevice('auto')).rejects.toMatchObject({ code: 'DEVICE_NOT_EXAMINED', message });
    vi.unstubAllEnvs();
  });

  it('is examined by computing on it', async () => {
    const device = await examineDevice('wasm');
    expect(device).toMatchObject({ engine: { name: 'wasm', gpu: false }, product: { ok: true } });
    expect(device.product!.largestError).toBeLessThan(1e-5);
    expect(summarise(device)).toMatch(/^WebAssembly .* \(no GPU: ENGINE=wasm computes on the CPU\)$/);
    expect(() => requireGpu(device)).toThrow(
      /expected a GPU, since REQUIRE_GPU=true, found WebAssembly[^]*What to do: unset ENGINE/,
    );
    expect(missedGpu({ ...device, nvidia: { ...device.nvidia, driver: null } }, false)).toBeNull();
    const missed = missedGpu({ ...device, nvidia: { ...device.nvidia, driver: '550.1' } }, false);
    expect(missedGpu({ ...device, nvidia: { ...device.nvidia, driver: '550.1' } }, true)).toBeNull();
    expect(missed).toMatch(/^expected the GPU, got the CPU: ENGINE=wasm computes on the CPU; unset ENGINE$/);
  });

  it('that computes wrongly is not trained on', async () => {
    const engine = { name: 'tensorflow', device: 'a GPU', gpu: true, fallback: null } as const;
    const product = { ok: false, largestError: 0.5, ms: 1 };
    expect(() => expectRightProduct({ engine, product })).toThrow(
      /expected a GPU to multiply .* off by up to 50 %/,
    );
    expect(() => expectRightProduct({ engine, product: { ...product, ok: true } })).not.toThrow();
  });

  it('that is a GPU is all that REQUIRE_GPU wants', async () => {
    const device = await examineDevice('wasm');
    const gpu = { ...device, engine: { ...device.engine!, gpu: true, device: 'a GPU' } };
    expect(() => requireGpu(gpu)).not.toThrow();
    expect(missedGpu(gpu, false)).toBeNull();
    expect(summarise(gpu)).toBe('a GPU');
  });
});
