/** Which TensorFlow is wanted: with CUDA where there is an NVIDIA driver, unless TENSORFLOW names one. */
import { existsSync } from 'node:fs';
import { SetupFailure } from './failure.mjs';

/**
 * `cpu` and `cuda`: out of Python wheels; `stock`: what the package's own installer brings.
 *
 * @typedef {'cpu' | 'cuda' | 'stock'} Variant
 * @typedef {{ variant: Variant, isNamed: boolean }} Wanted a named one is had or set-up fails
 */

const variants = /** @type {const} */ (['cpu', 'cuda', 'stock']);

/** What a driver leaves on a machine: its modules' file, its device, and WSL's. */
const driverTraces = ['/proc/driver/nvidia/version', '/dev/nvidiactl', '/dev/dxg'];

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Wanted}
 * @throws {SetupFailure} when TENSORFLOW names something else
 */
export function wantedVariant(env) {
  const named = env['TENSORFLOW'];
  if (!named)
    return { variant: driverTraces.some((path) => existsSync(path)) ? 'cuda' : 'cpu', isNamed: false };
  const variant = variants.find((one) => one === named);
  if (variant) return { variant, isNamed: true };
  throw new SetupFailure(
    `expected TENSORFLOW to be ${variants.join(', ')} or unset, got ${named}\n` +
      'What to do: unset it, then run the command again; cuda is taken where there is an NVIDIA driver.',
  );
}
