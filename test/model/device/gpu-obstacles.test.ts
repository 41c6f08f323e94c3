import { describe, expect, it } from 'vitest';
import type { DeviceFacts } from '../../../src/model/device/gpu-obstacles.ts';
import { findObstacles } from '../../../src/model/device/gpu-obstacles.ts';

const cpu = { name: 'tensorflow', device: 'TensorFlow 2.21.0, CPU', gpu: false, fallback: null } as const;
/** A machine on which everything is as it should be, but TensorFlow sees no GPU. */
const healthy: DeviceFacts = {
  nvidia: {
    driver: '550.54.15',
    cuda: '12.4',
    gpus: [{ name: 'NVIDIA H100', memoryMegabytes: 81_559 }],
    files: ['/dev/nvidia0', '/dev/nvidiactl', '/dev/nvidia-uvm'].map((path) => ({ path, problem: null })),
  },
  variant: 'cuda',
  libraries: [
    { name: 'libcuda.so.1', problem: null },
    { name: 'libcudnn.so.9', problem: null },
  ],
  inContainer: false,
  visibleDevices: null,
  engine: cpu,
  engineProblem: null,
  product: { ok: true, largestError: 0, ms: 1 },
  said: [],
};
const noNvidia = { driver: null, cuda: null, gpus: [], files: [] };
const find = (change: Partial<DeviceFacts>) =>
  findObstacles({ ...healthy, ...change }).map(({ what, cure }) => `${what} → ${cure}`);
const withNvidia = (change: Partial<DeviceFacts['nvidia']>) =>
  find({ nvidia: { ...healthy.nvidia, ...change }, inContainer: true });

describe('what stands between TensorFlow and a GPU', () => {
  it('is nothing where there is one', () => {
    expect(find({ engine: { ...cpu, gpu: true } })).toEqual([]);
  });

  it('is the driver, and nothing else, where there is none', () => {
    expect(find({ nvidia: noNvidia, variant: 'cpu', libraries: [] })).toEqual([
      expect.stringMatching(/^no NVIDIA driver was found on this machine → install the NVIDIA driver/),
    ]);
    expect(find({ nvidia: noNvidia, inContainer: true })).toEqual([
      expect.stringMatching(/in this container or on its host → .*driver.*Container Toolkit/),
    ]);
  });

  it('is that the engine does not open, or was not asked for', () => {
    expect(find({ engine: null, engineProblem: 'ENGINE=tensorflow: no binding' })).toEqual([
      'ENGINE=tensorflow: no binding → npm run setup',
    ]);
    expect(find({ engine: { ...cpu, name: 'wasm', fallback: 'no binding; going on with wasm' } })).toEqual([
      'no binding; going on with wasm → npm run setup',
    ]);
    expect(find({ engine: { ...cpu, name: 'wasm' } })).toEqual([
      expect.stringMatching(/^ENGINE=wasm computes on the CPU/),
    ]);
  });

  it('is an adapter that only plays one, or none, where WebGPU was asked for', () => {
    const software = {
      ...cpu,
      name: 'webgpu',
      fallback: 'got swiftshader, which computes on the CPU',
    } as const;
    expect(find({ engine: software, nvidia: noNvidia })).toEqual([
      expect.stringMatching(/^got swiftshader.* → install the driver of the GPU.*Vulkan/),
    ]);
    const none = 'ENGINE=webgpu: expected a WebGPU adapter, Dawn found none';
    expect(find({ engine: null, engineProblem: none })).toEqual([
      expect.stringMatching(/found none → install the driver/),
    ]);
    const noPackages = 'ENGINE=webgpu: expected the packages webgpu and others';
    expect(find({ engine: null, engineProblem: noPackages })).toEqual([`${noPackages} → npm run setup`]);
  });

  it('is a container without the device, with a driver on its host', () => {
    expect(withNvidia({ files: [] })).toEqual([
      expect.stringMatching(/no \/dev\/nvidia0 → .*Container Toolkit/),
      expect.stringMatching(/every library opens/),
    ]);
  });

  it('is a device file that may not be opened', () => {
    const files = [{ path: '/dev/nvidia0', problem: 'EACCES: permission denied' }];
    expect(withNvidia({ files })[0]).toMatch(/^\/dev\/nvidia0 can't be opened: EACCES.* → run as a user/);
  });

  it("is not a missing /dev/nvidia0 on Windows' Linux", () => {
    expect(withNvidia({ files: [{ path: '/dev/dxg', problem: null }] }).join('\n')).not.toContain('nvidia0');
  });

  it.each(['', '-1', 'none', 'void'])('is CUDA_VISIBLE_DEVICES=%s', (visibleDevices) => {
    expect(find({ visibleDevices })[0]).toContain(`CUDA_VISIBLE_DEVICES=${visibleDevices} hides every GPU`);
  });

  it.each(['0', '0,1', 'GPU-8f3c', 'MIG-1a'])('is not CUDA_VISIBLE_DEVICES=%s', (visibleDevices) => {
    expect(find({ visibleDevices }).join('\n')).not.toContain('CUDA_VISIBLE_DEVICES');
  });

  it('is a driver that is too old for CUDA 12, where that is wanted', () => {
    expect(withNvidia({ driver: '470.256.02' })[0]).toMatch(/^driver 470\.256\.02 is too old for CUDA 12/);
    const nvidia = { ...healthy.nvidia, driver: '470.256.02' };
    expect(find({ nvidia, variant: 'stock' }).join('\n')).not.toContain('too old');
  });

  it('is a TensorFlow without CUDA', () => {
    expect(find({ variant: 'cpu', libraries: [] })).toEqual([
      expect.stringMatching(/^this TensorFlow was built without CUDA → TENSORFLOW=cuda/),
    ]);
  });

  it('is each library that does not open, with its own cure', () => {
    const problem = 'cannot open shared object file';
    const libraries = ['libcuda.so.1', 'libcudnn.so.9'].map((name) => ({ name, problem }));
    expect(find({ libraries })).toEqual([
      expect.stringMatching(/^libcuda\.so\.1 can't be opened: cannot open .* → it comes with the driver/),
      expect.stringMatching(/^libcudnn\.so\.9 can't be opened.* → npm run setup -- --verify/),
    ]);
    expect(find({ libraries, variant: 'stock' })[1]).toContain('LD_LIBRARY_PATH');
  });

  it("is told in TensorFlow's words where everything else is in order", () => {
    expect(find({ said: ['failed call to cuInit: CUDA_ERROR_UNKNOWN'] })).toEqual([
      expect.stringContaining('it says: failed call to cuInit: CUDA_ERROR_UNKNOWN'),
    ]);
  });
});
