/** A short-lived process that finds out what this machine computes on. It receives the engine preference. */
import { existsSync } from 'node:fs';
import { messageOf } from '../../lib/errors.ts';
import type { Engine, EnginePreference } from '../engines/engine.ts';
import { openEngine } from '../engines/open-engine.ts';
import { findDeps, readVariant, tryLibraries } from './cuda-libraries.ts';
import type { DeviceFacts } from './gpu-obstacles.ts';
import { checkProduct } from './matrix-product.ts';
import { readNvidia } from './nvidia.ts';

process.on('SIGHUP', () => {}); // its parent decides when it ends
process.on('disconnect', () => process.exit(1)); // the parent is gone
if (!process.connected) process.exit(1); // the parent ended while this process was loading
process.once('message', (preference: EnginePreference) => {
  void examine(preference).then((facts) => process.send!(facts, () => process.exit(0)));
});

async function examine(preference: EnginePreference): Promise<Omit<DeviceFacts, 'said'>> {
  const nvidia = await readNvidia();
  const deps = findDeps();
  const variant = readVariant(deps);
  const libraries =
    deps !== null && variant !== null && nvidia.driver !== null ? tryLibraries(variant, deps) : [];
  return {
    nvidia,
    variant,
    libraries,
    inContainer: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
    visibleDevices: process.env['CUDA_VISIBLE_DEVICES'] ?? null,
    ...(await tryEngine(preference)),
  };
}

/** Opens the engine and computes on it; an engine that opens but can't compute does not count. */
async function tryEngine(
  preference: EnginePreference,
): Promise<Pick<DeviceFacts, 'engine' | 'engineProblem' | 'product'>> {
  let engine: Engine | null = null;
  try {
    engine = await openEngine(preference);
    return { engine, engineProblem: null, product: await checkProduct() };
  } catch (error) {
    const engineProblem = engine ? `${engine.device} can't compute: ${messageOf(error)}` : messageOf(error);
    return { engine: null, engineProblem, product: null };
  }
}
