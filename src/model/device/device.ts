/**
 * The truth about the device: what training really computes on here, shown by computing on it, and if that is no GPU,
 * exactly why not. A missing CUDA library is to TensorFlow a warning, then the CPU.
 */
import { endChild, forkBeside } from '../../lib/child-process.ts';
import { TrainyardError } from '../../lib/errors.ts';
import type { EnginePreference } from '../engines/engine.ts';
import { type DeviceFacts, type Finding, findObstacles } from './findings.ts';
import { cudaEnvironment } from './libraries.ts';

export type Device = DeviceFacts & {
  /** Why there is no GPU, most urgent first; empty where there is one. */
  readonly obstacles: readonly Finding[];
};

const withinMs = 60_000; // the first use of a GPU may compile for it
const aboutGpus = /cuda|gpu|nvidia|dlopen|dso_loader/i;

/**
 * Opens the engine in a process of its own and computes a matrix product with it.
 *
 * @throws TrainyardError `DEVICE_NOT_EXAMINED` when that process ends or hangs
 */
export async function examineDevice(preference: EnginePreference): Promise<Device> {
  const said: string[] = [];
  const env = { ...cudaEnvironment(), TF_CPP_MIN_LOG_LEVEL: '0' }; // it is to say all
  const child = forkBeside(import.meta.url, 'device-process', {
    env,
    onErrorLine: (line) => said.push(line),
  });
  try {
    const facts = await new Promise<Omit<DeviceFacts, 'said'>>((resolve, reject) => {
      const fail = (how: string) =>
        reject(new TrainyardError('DEVICE_NOT_EXAMINED', notExamined(how, said.slice(-3))));
      child.once('message', (message) => resolve(message as Omit<DeviceFacts, 'said'>));
      child.once('exit', (code, signal) => fail(`it ended by ${signal ?? `exit code ${code}`}`));
      setTimeout(() => fail(`it took longer than ${withinMs / 1000} s`), withinMs).unref();
      child.send(preference, () => {});
    });
    const all = { ...facts, said: said.filter((line) => aboutGpus.test(line)).map(withoutPrefix) };
    return { ...all, obstacles: findObstacles(all) };
  } finally {
    void endChild(child, 'SIGKILL', 0); // one that hangs in its driver is not waited for
  }
}

/** @throws TrainyardError `DEVICE_WRONG` when the small product was not what plain arithmetic makes of it */
export function expectRightProduct({ engine, product }: Pick<Device, 'engine' | 'product'>): void {
  if (product === null || product.ok) return;
  const off = `${(100 * product.largestError).toPrecision(2)} %`;
  const message = `expected ${engine?.device} to multiply two matrices, got values that are off by up to ${off}; do not train on it: look for a newer driver or test the memory of the device`;
  throw new TrainyardError('DEVICE_WRONG', message);
}

/** @throws TrainyardError `GPU_REQUIRED`, with every obstacle and its cure, unless the device is a GPU */
export function requireGpu({ engine, obstacles }: Pick<Device, 'engine' | 'obstacles'>): void {
  if (engine?.gpu) return;
  const found = `expected a GPU, since REQUIRE_GPU=true, found ${engine?.device ?? 'no engine'}`;
  const reasons = obstacles.map(({ what, cure }) => `\n  ${what}\n    What to do: ${cure}`);
  throw new TrainyardError('GPU_REQUIRED', found + reasons.join(''));
}

/** Why training is on the CPU although a driver says that there is a GPU; null where the CPU was asked for, or there is none. */
export function missedGpu({ engine, nvidia, obstacles }: Device, isCpuWanted: boolean): string | null {
  const [first] = obstacles;
  if (engine?.gpu || !first || nvidia.driver === null || isCpuWanted) return null;
  return `expected the GPU, got the CPU: ${first.what}; ${first.cure}`;
}

/** In one line: 'TensorFlow 2.21.0, CPU, 2 threads (no GPU: no NVIDIA driver was found on this machine)'. */
export function summarise({ engine, engineProblem, obstacles }: Device): string {
  const [first] = obstacles;
  const why = engine?.gpu || !first ? '' : ` (no GPU: ${first.what})`;
  return engine ? engine.device + why : `no engine: ${engineProblem}`;
}

function notExamined(how: string, lastWords: readonly string[]): string {
  const words = lastWords.length > 0 ? `; its last words: ${lastWords.join(' · ')}` : '';
  return `expected the engine to open and compute a small product, but ${how}${words}; ENGINE=wasm needs nothing but Node`;
}

/** Without date, thread and source file: 'E0000 00:00:1795 12 cuda_platform.cc:51] failed call to cuInit: …'. */
function withoutPrefix(line: string): string {
  return line.replace(/^.*?\.cc:\d+\] /, '');
}
