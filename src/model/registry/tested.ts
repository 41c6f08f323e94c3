/** How a version did on its test images, as the registry compares champions. */
import type { Manifest } from '../store/manifest.ts';
import type { Tested } from './transitions.ts';

/** Null for a version from before there was a registry: the gate tests it when it needs to know. */
export function testedOf({ test, metrics }: Pick<Manifest, 'test' | 'metrics'>): Tested | null {
  return test ? { ...test, accuracy: metrics.testAccuracy } : null;
}
