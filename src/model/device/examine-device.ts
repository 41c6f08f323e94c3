/**
 * Examines the device: finds out by computing what training really runs on, and why if that is no GPU. If a CUDA library
 * is missing, TensorFlow itself only warns and uses the CPU.
 */
import { endChild, forkBeside } from '../../lib/child-process.ts';
import { TrainyardError } from '../../lib/errors.ts';
import type { EnginePreference } from '../engines/engine.ts';
import { cudaEnvironment } from './cuda-libraries.ts';
import { type DeviceFacts, type Finding, findObstacles } from './gpu-obstacles.ts';

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
  const env = { ...cudaEnvironment(), TF_CPP_MIN_LOG_LEVEL: '0' }; // log everything
  const child = forkBeside(import.meta.url, 'examine-device-process', {
    env,
    onErrorLine: (line) => said.push(line),
  });
  try {
    const facts = await new Promise<Omit<DeviceFacts, 'said'>>((resolve, reject) => {
      const fail = (how: string) => reject(new TrainyardError('DEVICE_NOT_EXAMINED', notExamined(how, said)));
      child.once('message', (message) => resolve(message as Omit<DeviceFacts, 'said'>));
      child.once('exit', (code, signal) => fail(`it ended by ${signal ?? `exit code ${code}`}`));
      setTimeout(() => fail(`it took longer than ${withinMs / 1000} s`), withinMs).unref();
      child.send(preference, () => {});
    });
    const all = { ...facts, said: said.filter((line) => aboutGpus.test(line)).map(withoutPrefix) };
    return { ...all, obstacles: findObstacles(all) };
  } finally {
    void endChild(child, 'SIGKILL', 0); // not awaited: it may hang in a driver
  }
}

/** @throws TrainyardError `DEVICE_WRONG` when the matrix product differs from plain arithmetic */
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

/** Why training is on the CPU although there is a GPU driver; null if the CPU was asked for or there is no driver. */
export function missedGpu({ engine, nvidia, obstacles }: Device, isCpuWanted: boolean): string | null {
  const [first] = obstacles;
  if (engine?.gpu || !first || nvidia.driver === null || isCpuWanted) return null;
  return `expected the GPU, got the CPU: ${first.what}; ${first.cure}`;
}

/** Summarises the device in one line: 'TensorFlow 2.21.0, CPU, 2 threads (no GPU: no NVIDIA driver was found on this machine)'. */
export function summarise({ engine, engineProblem, obstacles }: Device): string {
  const [first] = obstacles;
  const why = engine?.gpu || !first ? '' : ` (no GPU: ${first.what})`;
  return engine ? engine.device + why : `no engine: ${engineProblem}`;
}

function notExamined(how: string, said: readonly string[]): string {
  const words = said.findLast((line) => /\b(?:\w*Error|fatal|abort\w*)\b/i.test(line)) ?? said.at(-1); // no line of a stack
  const why = words === undefined ? '' : ` after it had printed: ${words.trim()}`;
  return `expected the engine to open and compute a small product, but ${how}${why}; correct that, or run npm run setup, which builds the engine anew; if its library can't run here, ENGINE=wasm needs nothing but Node`;
}

/** Removes date, thread and source file: 'E0000 00:00:1795 12 cuda_platform.cc:51] failed call to cuInit: …'. */
function withoutPrefix(line: string): string {
  return line.replace(/^.*?\.cc:\d+\] /, '');
}
