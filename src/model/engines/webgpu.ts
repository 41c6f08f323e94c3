/**
 * WebGPU outside a browser: Dawn (the npm package `webgpu`) drives any vendor's GPU through Vulkan, Metal or
 * Direct3D 12, and tfjs's own backend computes on it; it has every kernel that training needs. Both packages are
 * optional: set-up fetches them where ENGINE=webgpu asks for them (scripts/setup/webgpu.mjs).
 *
 * tfjs reads nothing back synchronously here: whoever wants values awaits `data()`.
 */
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { messageOf, TrainyardError } from '../../lib/errors.ts';

type Dawn = { readonly globals: object; create(options: readonly string[]): Gpu };
type Gpu = { requestAdapter(options: { powerPreference: string }): Promise<object | null> };
type Device = {
  readonly adapterInfo: AdapterInfo;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  onuncapturederror: ((event: { readonly error: Error }) => void) | null;
};

/** As https://www.w3.org/TR/webgpu/#gpuadapterinfo has it; what is not known is empty. */
export type AdapterInfo = {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter: boolean;
};

/** Where set-up puts the packages; from there tfjs-core is the one of this checkout. */
const packagesDirectory = fileURLToPath(new URL('../../../node_modules/.trainyard-webgpu/', import.meta.url));
const powerPreference = 'high-performance'; // as the backend asks, too: it then gets the same adapter
const smallOutputProgram = 2; // of tfjs-webgpu's ways to multiply matrices
const softwareNames = /swiftshader|llvmpipe|lavapipe|warp|basic render/i;

/**
 * Brings in both packages and registers the tfjs backend `webgpu`, which starts when it is first set.
 *
 * @throws TrainyardError `ENGINE_UNAVAILABLE` without the packages, and without an adapter
 */
export async function registerWebGpu(directory = packagesDirectory): Promise<void> {
  if (tf.findBackendFactory('webgpu') !== null) return;
  const require = createRequire(`${directory}/`);
  const dawn = await importDawn(require);
  const gpu = dawn.create([]);
  if ((await gpu.requestAdapter({ powerPreference })) === null) throw noAdapter();
  // The backend looks for both while it is imported, as a page would have them.
  Object.assign(globalThis, dawn.globals);
  setNavigatorGpu(gpu);
  require('@tensorflow/tfjs-backend-webgpu');
  multiplyInOneOrder();
}

async function importDawn(require: NodeJS.Require): Promise<Dawn> {
  try {
    require.resolve('@tensorflow/tfjs-backend-webgpu');
    return (await import(pathToFileURL(require.resolve('webgpu')).href)) as Dawn;
  } catch (error) {
    const message =
      'ENGINE=webgpu: expected the packages webgpu and @tensorflow/tfjs-backend-webgpu, which it alone needs, ' +
      `got: ${messageOf(error).split('\n')[0]}; run "ENGINE=webgpu npm run setup" to fetch them`;
    throw new TrainyardError('ENGINE_UNAVAILABLE', message, { cause: error });
  }
}

function noAdapter(): TrainyardError {
  const message =
    'ENGINE=webgpu: expected a WebGPU adapter (Vulkan on Linux, Metal on macOS, Direct3D 12 on Windows), Dawn found ' +
    'none; install the driver of the GPU and, on Linux, the Vulkan loader (Debian: libvulkan1), or set ENGINE=auto';
  return new TrainyardError('ENGINE_UNAVAILABLE', message);
}

/** Node has a `navigator` of its own from version 21 on. */
function setNavigatorGpu(gpu: Gpu): void {
  const owner = (globalThis as { navigator?: object }).navigator ?? {};
  Object.defineProperty(owner, 'gpu', { value: gpu, configurable: true });
  if (!('navigator' in globalThis)) Object.defineProperty(globalThis, 'navigator', { value: owner });
}

/**
 * For the dense layer the backend would choose a program in which threads add floats to one sum as they come: other
 * bytes each time. This one adds in the same order always; the dense layer is a hundredth of the network's work.
 */
function multiplyInOneOrder(): void {
  tf.env().set('WEBGPU_MATMUL_PROGRAM_TYPE', smallOutputProgram);
}

/** What the backend in use computes on, from here on watched by `endOnError`. */
export function deviceInUse(): AdapterInfo {
  const { device } = tf.backend() as tf.KernelBackend & { readonly device: Device };
  endOnError(device);
  return device.adapterInfo;
}

/**
 * WebGPU reports errors beside the program's way (out of memory, a lost device), and what is computed after one means
 * nothing. The process ends, before it can take such values for its own: a trainer's job then goes on from its last
 * resume point.
 */
function endOnError(device: Device): void {
  device.onuncapturederror = ({ error }) =>
    endProcess(`it reports ${error.constructor.name}: ${error.message}`);
  void device.lost.then(({ reason, message }) => endProcess(`it was lost (${reason}): ${message}`));
}

function endProcess(what: string): never {
  process.stderr.write(`expected the WebGPU device to compute, ${what}; this process ends\n`);
  process.exit(1);
}

/** Whether an adapter only plays a GPU on the CPU. */
export function isSoftware({ isFallbackAdapter, ...info }: AdapterInfo): boolean {
  return isFallbackAdapter || softwareNames.test(nameOf(info));
}

/** 'nvidia ada-lovelace, NVIDIA GeForce RTX 4090': whatever of it is known. */
export function nameOf(info: Omit<AdapterInfo, 'isFallbackAdapter'>): string {
  const family = `${info.vendor} ${info.architecture}`.trim();
  return [family, info.device, info.description].filter(Boolean).join(', ') || 'unnamed adapter';
}
