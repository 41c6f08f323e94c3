/** The optional packages of WebGPU for the tests: the one step of set-up that brings them, as ENGINE=webgpu runs it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repository } from './checkout.ts';

const withinMs = 240_000;

/** Into this checkout, by way of this machine's cache. Says why they can't be had, or null. */
export async function provideWebGpuPackages(): Promise<string | null> {
  const env = { ...process.env, ENGINE: 'webgpu' };
  const args = [join(repository, 'scripts/setup.mjs'), '--only=webgpu'];
  try {
    await promisify(execFile)(process.execPath, args, { env, timeout: withinMs });
    return null;
  } catch (error) {
    return `set-up could not fetch its packages: ${(error as { stderr: string }).stderr}`;
  }
}
