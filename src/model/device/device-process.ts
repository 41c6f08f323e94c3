/** Finds out, in a process that ends at once, what this machine computes on. Arguments: the engine preference. */
import { existsSync } from 'node:fs';
import type { DeviceFacts } from '../device.ts';
import { type Engine, type EnginePreference, openEngine } from '../engine.ts';
import { messageOf } from '../errors.ts';
import { findDeps, readVariant, tryLibraries } from './libraries.ts';
import { readNvidia } from './nvidia.ts';
import { checkProduct } from './product.ts';

process.once('message', (preference: EnginePreference) => {
  void examine(preference).then((facts) => process.send!(facts, () => process.exit(0)));
});

async function examine(preference: EnginePreference): Promise<Omit<DeviceFacts, 'said'>> {
  const nvidia = await readNvidia();
  const deps = findDeps();
  const variant = readVariant(deps);
  const libraries =
    deps !== null && variant !== null && nvidia.driver !== null ? tryLibraries(variant, deps) : [];
  const opened = await open(preference);
  return {
    nvidia,
    variant,
    libraries,
    inContainer: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
    visibleDevices: process.env['CUDA_VISIBLE_DEVICES'] ?? null,
    ...opened,
    product: opened.engine && (await checkProduct()),
  };
}

async function open(
  preference: EnginePreference,
): Promise<{ engine: Engine | null; engineProblem: string | null }> {
  try {
    return { engine: await openEngine(preference), engineProblem: null };
  } catch (error) {
    return { engine: null, engineProblem: messageOf(error) };
  }
}
