/** Opens an engine: a tfjs backend on a device. A process opens one; then `tf` of '@tensorflow/tfjs' computes on it. */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { messageOf, TrainyardError } from '../../lib/errors.ts';
import { gpuInUse } from '../device/nvidia.ts';
import { registerOperations } from '../network/operations.ts';
import * as tf from '../tfjs.ts';
import type { Engine, EnginePreference } from './engine.ts';
import { tensorFlowOperations } from './tensorflow-layers.ts';
import { fastestOps } from './tensorflow-native-ops.ts';

type TensorFlowBackend = tf.KernelBackend & {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
};

/**
 * Opens the preferred engine; `auto` means TensorFlow if its binding loads, else wasm, never webgpu.
 *
 * @throws TrainyardError `ENGINE_UNAVAILABLE` when an engine that was named can't be opened
 */
export async function openEngine(preference: EnginePreference): Promise<Engine> {
  if (preference === 'wasm') return openWasm();
  if (preference === 'webgpu') return openWebGpu();
  try {
    return await openTensorFlow();
  } catch (error) {
    const reason = `expected the TensorFlow binding to load, got: ${messageOf(error)}; run "npm run setup" to build it`;
    if (preference === 'tensorflow') {
      throw new TrainyardError('ENGINE_UNAVAILABLE', `ENGINE=tensorflow: ${reason}`, { cause: error });
    }
    const engine = await openWasm();
    return { ...engine, fallback: `${reason}; going on with wasm, about a fifth of the speed` };
  }
}

/** How many tensors exist. Between two steps the number never changes, unless there is a leak. */
export function liveTensors(): number {
  return tf.memory().numTensors;
}

async function openTensorFlow(): Promise<Engine> {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'; // log errors only; the device is reported below
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true'; // the binding passes no GPU options
  process.env['CUDA_DEVICE_ORDER'] ??= 'PCI_BUS_ID'; // as nvidia-smi numbers them
  const require = createRequire(import.meta.url);
  restoreRemovedUtil(require('node:util') as Record<string, unknown>);
  require('@tensorflow/tfjs-node-gpu');
  await useBackend('tensorflow');
  registerOperations('tensorflow', tensorFlowOperations(fastestOps()));
  const backend = tf.backend() as TensorFlowBackend;
  const gpu = backend.isUsingGpuDevice;
  const place = gpu ? `GPU ${await gpuInUse()}` : `CPU, ${inWords(threads())}`;
  return {
    name: 'tensorflow',
    device: `TensorFlow ${backend.binding.TF_Version}, ${place}`,
    gpu,
    fallback: null,
  };
}

async function openWebGpu(): Promise<Engine> {
  const { registerWebGpu, deviceInUse, isSoftware, nameOf } = await import('./webgpu.ts');
  await registerWebGpu();
  await useBackend('webgpu');
  const adapter = deviceInUse();
  const engine = { name: 'webgpu', gpu: !isSoftware(adapter) } as const;
  const device = `WebGPU (tfjs ${tf.version.tfjs}), ${engine.gpu ? 'GPU' : 'NO GPU, CPU'}: ${nameOf(adapter)}`;
  if (engine.gpu) return { ...engine, device, fallback: null };
  const fallback = `expected a GPU for ENGINE=webgpu, got ${nameOf(adapter)}, which computes on the CPU; ENGINE=auto is far faster there`;
  return { ...engine, device, fallback };
}

async function openWasm(): Promise<Engine> {
  createRequire(import.meta.url)('@tensorflow/tfjs-backend-wasm'); // as tfjs itself: see tfjs.ts
  const { registerWasmKernels } = await import('./wasm-kernels.ts');
  const { shardedLossAndGradient } = await import('./wasm-shards.ts');
  registerWasmKernels();
  await useBackend('wasm');
  registerOperations('wasm', { lossAndGradient: shardedLossAndGradient(wasmThreads()) });
  return {
    name: 'wasm',
    device: `WebAssembly (tfjs ${tf.version.tfjs}), CPU, ${inWords(wasmThreads())}`,
    gpu: false,
    fallback: null,
  };
}

async function useBackend(name: string): Promise<void> {
  tf.env().set('PROD', true);
  if (!(await tf.setBackend(name))) {
    throw new TrainyardError(
      'ENGINE_UNAVAILABLE',
      `expected the tfjs backend "${name}" to start, it did not`,
    );
  }
  await tf.ready();
}

/** tfjs-node 4.22 calls two functions of `util`: Node 23 removed one (tensorflow/tfjs#8425) and deprecates the other. */
function restoreRemovedUtil(util: Record<string, unknown>): void {
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  util['isArray'] = Array.isArray;
}

/** TensorFlow's number of threads, which this variable sets (in the predictor, for example); wasm follows it too. */
function threads(): number {
  return Number(process.env['TF_NUM_INTRAOP_THREADS']) || availableParallelism();
}

/** With more threads, the shards are too small to be worth their own copy of the weights. */
function wasmThreads(): number {
  return Math.min(threads(), 4);
}

function inWords(count: number): string {
  return `${count} thread${count === 1 ? '' : 's'}`;
}
