/** Tests a published version. */

import { isCode } from '../../lib/files.ts';
import type { Split } from '../data/dataset.ts';
import type { ModelStore } from '../store/store.ts';
import * as tf from '../tfjs.ts';
import { type Correctness, correctnessOf } from './correctness.ts';
import { evaluate } from './evaluate.ts';

/**
 * Returns what was stored with the version, if it can be read and covers all images of `test`; otherwise the version
 * reads the images now. Null for a version that is gone, damaged, or another program's.
 *
 * @throws TrainyardError `MODEL_UNREADABLE` (the system's error, which may pass)
 */
export async function testVersion(
  store: Pick<ModelStore, 'correctness' | 'load'>,
  version: number,
  test: Split,
): Promise<Correctness | null> {
  try {
    const stored = await store.correctness(version).catch(nullIfNotReadable);
    return stored && stored.images >= test.count ? stored : await readImages(store, version, test);
  } catch (error) {
    if (isCode(error, 'MODEL_NOT_FOUND', 'MODEL_DAMAGED', 'MODEL_UNSUPPORTED')) return null;
    throw error;
  }
}

/** The weights may be whole where the stored results are not. */
function nullIfNotReadable(error: unknown): null {
  if (isCode(error, 'MODEL_DAMAGED', 'MODEL_UNREADABLE')) return null;
  throw error;
}

async function readImages(
  store: Pick<ModelStore, 'load'>,
  version: number,
  test: Split,
): Promise<Correctness> {
  const { manifest, weights } = await store.load(version);
  const tensor = tf.tensor1d(weights);
  try {
    const { predictions } = await evaluate(manifest.network, tensor, test);
    return correctnessOf(test.count, predictions, test.labels);
  } finally {
    tensor.dispose();
  }
}
