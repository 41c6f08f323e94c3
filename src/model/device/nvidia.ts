/** Reads the NVIDIA kernel driver's version, the device files and the output of nvidia-smi. Linux only. */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { messageOf } from '../../lib/errors.ts';

export type Gpu = { readonly name: string; readonly memoryMegabytes: number };

/** A device file (on WSL: dxg). `problem`: why it can't be opened, else null. */
export type DeviceFile = { readonly path: string; readonly problem: string | null };

export type Nvidia = {
  readonly driver: string | null; // version; null: none is loaded
  readonly cuda: string | null; // the newest version that the driver supports
  readonly gpus: readonly Gpu[]; // empty if nvidia-smi is missing
  readonly files: readonly DeviceFile[];
};

const answerWithinMs = 5000; // nvidia-smi wakes a sleeping GPU

/** @param root the directory that holds `proc` and `dev` */
export async function readNvidia(root = '/'): Promise<Nvidia> {
  const [driver, { gpus, cuda }] = [readDriver(root), await askNvidiaSmi()];
  return { driver: driver ?? gpus[0]?.driver ?? null, cuda, gpus, files: readDeviceFiles(root) };
}

/** 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar …' */
function readDriver(root: string): string | null {
  const path = `${root}proc/driver/nvidia/version`;
  if (!existsSync(path)) return null;
  return /Kernel Module\D*?\s(\d[\d.]+)/.exec(readFileSync(path, 'utf8'))?.[1] ?? 'of unknown version';
}

function readDeviceFiles(root: string): DeviceFile[] {
  const names = readdirSync(`${root}dev`).filter((name) => /^(?:nvidia(?:\d+|ctl|-uvm)|dxg)$/.test(name));
  return names.toSorted().map((name) => {
    const path = `${root}dev/${name}`;
    try {
      accessSync(path, constants.R_OK | constants.W_OK);
      return { path, problem: null };
    } catch (error) {
      return { path, problem: messageOf(error) };
    }
  });
}

type Answer = { readonly gpus: (Gpu & { readonly driver: string })[]; readonly cuda: string | null };

async function ask(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('nvidia-smi', args, { timeout: answerWithinMs });
  return stdout;
}

async function askNvidiaSmi(): Promise<Answer> {
  try {
    const [list, page] = await Promise.all([
      ask('--query-gpu=name,memory.total,driver_version', '--format=csv,noheader,nounits'),
      ask(),
    ]);
    return { gpus: readGpus(list), cuda: /CUDA Version: ([\d.]+)/.exec(page)?.[1] ?? null };
  } catch {
    return { gpus: [], cuda: null }; // missing, or it can't reach the driver: the device files show why
  }
}

/** The name of CUDA's GPU 0: the first one in CUDA_VISIBLE_DEVICES, if that is a number. */
export async function gpuInUse(visibleDevices = process.env['CUDA_VISIBLE_DEVICES']): Promise<string> {
  const { gpus } = await askNvidiaSmi();
  return (gpus[Number.parseInt(visibleDevices ?? '0') || 0] ?? gpus[0])?.name ?? 'of unknown name';
}

/** Parses lines such as 'NVIDIA H100 80GB HBM3, 81559, 550.54.15'. */
export function readGpus(list: string): (Gpu & { readonly driver: string })[] {
  return list.split('\n').flatMap((line) => {
    const [name, memory, driver] = line.split(',').map((part) => part.trim());
    return name && driver ? [{ name, memoryMegabytes: Number(memory), driver }] : [];
  });
}
