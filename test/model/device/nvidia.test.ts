import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gpuInUse, readGpus, readNvidia } from '../../../src/model/device/nvidia.ts';
import { temporaryDirectory } from '../../temporary.ts';

let root: string;
const path = process.env['PATH'];
beforeEach(async () => {
  root = `${await temporaryDirectory()}/`;
  await mkdir(join(root, 'dev'));
  process.env['PATH'] = join(root, 'bin');
});
afterEach(() => {
  process.env['PATH'] = path;
});

const addDriver = async () => {
  await mkdir(join(root, 'proc/driver/nvidia'), { recursive: true });
  const line = 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\n';
  await writeFile(join(root, 'proc/driver/nvidia/version'), line);
};
/** Answers as NVIDIA's own does. */
const addNvidiaSmi = async (list: string) => {
  await mkdir(join(root, 'bin'));
  const script = `#!/bin/sh\ncase "$1" in --query-gpu=*) echo "${list}";; *) echo "| CUDA Version: 12.4 |";; esac\n`;
  await writeFile(join(root, 'bin/nvidia-smi'), script, { mode: 0o755 });
};

describe('what there is of NVIDIA', () => {
  it('is nothing on a machine without', async () => {
    expect(await readNvidia(root)).toEqual({ driver: null, cuda: null, gpus: [], files: [] });
  });

  it('is the driver, its device files and the GPUs', async () => {
    await addDriver();
    await addNvidiaSmi('NVIDIA H100 80GB HBM3, 81559, 550.54.15');
    for (const name of ['nvidia0', 'nvidiactl', 'nvidia-uvm', 'null'])
      await writeFile(join(root, 'dev', name), '');
    const { files, ...others } = await readNvidia(root);
    expect(others).toEqual({
      driver: '550.54.15',
      cuda: '12.4',
      gpus: [expect.objectContaining({ name: 'NVIDIA H100 80GB HBM3', memoryMegabytes: 81_559 })],
    });
    expect(files.map(({ path: one, problem }) => [one.slice(root.length), problem])).toEqual([
      ['dev/nvidia-uvm', null],
      ['dev/nvidia0', null],
      ['dev/nvidiactl', null],
    ]);
  });

  it('names the GPU that is used', async () => {
    expect(await gpuInUse(undefined)).toBe('of unknown name');
    await addNvidiaSmi('A, 1, 550.1\nB, 1, 550.1');
    expect(await gpuInUse(undefined)).toBe('A');
    expect(await gpuInUse('1,0')).toBe('B');
    expect(await gpuInUse('GPU-8f3c')).toBe('A');
  });

  it("is known from nvidia-smi alone, as on Windows' Linux", async () => {
    await addNvidiaSmi('NVIDIA GeForce RTX 4090, 24564, 551.86');
    expect(await readNvidia(root)).toMatchObject({ driver: '551.86' });
  });

  it("is a file that can't be opened, with the system's reason", async () => {
    await symlink('nowhere', join(root, 'dev/nvidia0')); // root may open every file, but not this one
    const { files } = await readNvidia(root);
    expect(files).toEqual([{ path: join(root, 'dev/nvidia0'), problem: expect.stringContaining('ENOENT') }]);
  });

  it('is several GPUs, and none in a message', () => {
    expect(readGpus('A, 100, 1.0\nB, 200, 1.0\n').map(({ name }) => name)).toEqual(['A', 'B']);
    expect(readGpus('NVIDIA-SMI has failed because it could not communicate\n')).toEqual([]);
    expect(readGpus('')).toEqual([]);
  });
});
