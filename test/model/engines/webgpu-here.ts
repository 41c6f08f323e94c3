/** What the tests of WebGPU need of this machine: its packages, brought by set-up, and an adapter. */
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { isCode } from '../../../src/lib/files.ts';
import { registerWebGpu } from '../../../src/model/engines/webgpu.ts';
import { provideWebGpuPackages } from '../../setup/webgpu-packages.ts';

const chromium = '/usr/lib/chromium'; // Debian's: it brings SwiftShader, which plays a GPU on the CPU
const swiftShader = `${chromium}/vk_swiftshader_icd.json`;
const vulkanLoader = `${chromium}/libvulkan.so.1`;
const neverUnload = 0x1000; // RTLD_NODELETE of <dlfcn.h>, which Node has no name for

/** Why WebGPU can't be tested here, or null; then the backend is registered. */
export async function whyNoWebGpu(): Promise<string | null> {
  const missing = await provideWebGpuPackages();
  if (missing !== null) return missing;
  addSwiftShader();
  try {
    await registerWebGpu();
    return null;
  } catch (error) {
    if (!isCode(error, 'ENGINE_UNAVAILABLE')) throw error;
    return `no GPU is here, and no SwiftShader in ${chromium} (Debian: apt-get install chromium-headless-shell)`;
  }
}

/** Beside the GPUs that the system has, which are preferred; for this process and those that it starts. */
function addSwiftShader(): void {
  if (!existsSync(swiftShader)) return;
  process.env['VK_ADD_DRIVER_FILES'] = swiftShader;
  process.env['LD_LIBRARY_PATH'] = [process.env['LD_LIBRARY_PATH'], chromium].filter(Boolean).join(':');
  try {
    // That path is read when a process starts. Here the loader is loaded now, to be found by its name later.
    process.dlopen({ exports: {} }, vulkanLoader, constants.dlopen.RTLD_LAZY | neverUnload);
  } catch {
    // It is no module of Node: loaded all the same.
  }
}
