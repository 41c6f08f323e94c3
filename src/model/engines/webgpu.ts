/**
 * WebGPU outside a browser: Dawn (the npm package `webgpu`) drives any vendor's GPU through Vulkan, Metal or
 * Direct3D 12, and tfjs's own backend, which has every kernel that training needs, computes on it. Both packages are
 * optional: set-up fetches them if ENGINE=webgpu (scripts/setup/webgpu.mjs).
 *
 * tfjs can't read values back synchronously here: await `data()`.
 */
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { messageOf, TrainyardError } from '../../lib/errors.ts';
import * as tf from '../tfjs.ts';

type Dawn = { readonly globals: object; create(options: readonly string[]): Gpu };
type Gpu = { requestAdapter(options: { powerPreference: string }): Promise<object | null> };
type Device = {
  readonly adapterInfo: AdapterInfo;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  onuncapturederror: ((event: { readonly error: Error }) => void) | null;
};

/** See https://www.w3.org/TR/webgpu/#gpuadapterinfo; unknown values are empty. */
export type AdapterInfo = {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter: boolean;
};

/** Where set-up puts the packages; they resolve tfjs-core to the one of this checkout. */
const packagesDirectory = fileURLToPath(new URL('../../../node_modules/.trainyard-webgpu/', import.meta.url));
const powerPreference = 'high-performance'; // the backend asks for the same, and so gets the same adapter
const smallOutputProgram = 2; // one of tfjs-webgpu's programs for multiplying matrices
const softwareNames = /swiftshader|llvmpipe|lavapipe|warp|basic render/i;

/**
 * Loads both packages and registers the tfjs backend `webgpu`, which starts when it is first set.
 *
 * @throws TrainyardError `ENGINE_UNAVAILABLE` when the packages or an adapter are missing
 */
export async function registerWebGpu(directory = packagesDirectory): Promise<void> {
  if (tf.findBackendFactory('webgpu') !== null) return;
  const require = createRequire(`${directory}/`);
  const dawn = await importDawn(require);
  const gpu = dawn.create([]);
  if ((await gpu.requestAdapter({ powerPreference })) === null) throw noAdapter();
  // When it is imported, the backend looks for the globals of a page.
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

/** Node has its own `navigator` since version 21. */
function setNavigatorGpu(gpu: Gpu): void {
  const owner = (globalThis as { navigator?: object }).navigator ?? {};
  Object.defineProperty(owner, 'gpu', { value: gpu, configurable: true });
  if (!('navigator' in globalThis)) Object.defineProperty(globalThis, 'navigator', { value: owner });
}

/**
 * For the dense layer, the backend would choose a program whose threads add floats to one sum in any order, so that the
 * bytes differ each time. This program always adds in the same order; the dense layer is a hundredth of the work.
 */
function multiplyInOneOrder(): void {
  tf.env().set('WEBGPU_MATMUL_PROGRAM_TYPE', smallOutputProgram);
}

/** The adapter that the backend in use computes on. Also ends the process when the device reports an error. */
export function deviceInUse(): AdapterInfo {
  const { device } = tf.backend() as tf.KernelBackend & { readonly device: Device };
  endOnError(device);
  return device.adapterInfo;
}

/**
 * WebGPU reports errors asynchronously (out of memory, a lost device), and values computed after one are meaningless.
 * So the process ends before it uses them; a trainer's job resumes from its last resume point.
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

/** Whether the adapter emulates a GPU on the CPU. */
export function isSoftware({ isFallbackAdapter, ...info }: AdapterInfo): boolean {
  return isFallbackAdapter || softwareNames.test(nameOf(info));
}

/** As far as known, such as 'nvidia ada-lovelace, NVIDIA GeForce RTX 4090'. */
export function nameOf(info: Omit<AdapterInfo, 'isFallbackAdapter'>): string {
  const family = `${info.vendor} ${info.architecture}`.trim();
  return [family, info.device, info.description].filter(Boolean).join(', ') || 'unnamed adapter';
}
