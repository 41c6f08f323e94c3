/** WebGPU where it can't be had, and how adapters are told apart: none of it needs one. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openEngine } from '../../../src/model/engines/open-engine.ts';
import { type AdapterInfo, isSoftware, nameOf, registerWebGpu } from '../../../src/model/engines/webgpu.ts';
import { provideWebGpuPackages } from '../../setup/webgpu-packages.ts';
import { temporaryDirectory } from '../../temporary.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const missing =
  process.platform === 'linux' ? await provideWebGpuPackages() : 'only Vulkan can be told to find no GPU';
if (missing !== null) console.log(`WebGPU without an adapter is not tested: ${missing}`);

describe('WebGPU', () => {
  it('says how to get its packages where they are missing', async () => {
    await expect(registerWebGpu(await temporaryDirectory())).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringMatching(
        /^ENGINE=webgpu: expected the packages webgpu and .*, got: Cannot find module .*; run "ENGINE=webgpu npm run setup"/,
      ),
    });
  });

  it.skipIf(missing !== null)('says what to install where there is no adapter', async () => {
    vi.stubEnv('VK_DRIVER_FILES', '/nowhere/icd.json');
    vi.stubEnv('VK_ICD_FILENAMES', '/nowhere/icd.json'); // as older loaders call it
    await expect(openEngine('webgpu')).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringMatching(
        /^ENGINE=webgpu: expected a WebGPU adapter .* found none; install .*ENGINE=auto$/,
      ),
    });
  });

  const info = (change: Partial<AdapterInfo>): AdapterInfo => {
    return { vendor: '', architecture: '', device: '', description: '', isFallbackAdapter: false, ...change };
  };

  it('knows what plays a GPU on the CPU', () => {
    expect(isSoftware(info({ isFallbackAdapter: true }))).toBe(true);
    expect(isSoftware(info({ vendor: 'mesa', description: 'llvmpipe (LLVM 15.0.6, 256 bits)' }))).toBe(true);
    expect(isSoftware(info({ vendor: 'google', architecture: 'swiftshader' }))).toBe(true);
    expect(isSoftware(info({ vendor: 'nvidia', architecture: 'ampere', device: '0x2204' }))).toBe(false);
  });

  it('names an adapter by what is known of it', () => {
    const card = info({ vendor: 'amd', architecture: 'rdna-3', description: 'AMD Radeon RX 7900 XTX' });
    expect(nameOf(card)).toBe('amd rdna-3, AMD Radeon RX 7900 XTX');
    expect(nameOf(info({}))).toBe('unnamed adapter');
  });
});
