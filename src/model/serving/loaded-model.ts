/** A model version in the engine's memory, ready to infer. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ImageForm, imageSize } from '../data/dataset.ts';
import { toImageTensor } from '../data/image-tensor.ts';
import { forward, unflatten } from '../network/forward.ts';
import type { Network } from '../network/network.ts';
import { modelOf, readingOf } from '../store/manifest.ts';
import type { StoredModel } from '../store/store.ts';
import * as tf from '../tfjs.ts';
import type { Reader } from './answer.ts';
import type { ImageTensor, ServedModel } from './messages.ts';

export type LoadedModel = Reader & {
  readonly served: ServedModel;
  readonly network: Network;
  readonly parameters: tf.Tensor[]; // disposed by whoever replaces the model
  readonly form: ImageForm;
};

const warmUpSizes = [1, 2, 4, 8]; // images in a batch

/**
 * Loads a model and warms it up: the first inference of each batch size is slow. Other work goes on in between.
 *
 * @throws what the engine throws; nothing stays in its memory then
 */
export async function loadModel({ manifest, weights }: StoredModel): Promise<LoadedModel> {
  const { network, version, jobId, epoch, metrics, calibration = null } = manifest;
  const parameters = tf.tidy(() => unflatten(network, tf.tensor1d(weights)));
  const name = modelOf(manifest);
  const served = { name, version, jobId, epoch, testAccuracy: metrics.testAccuracy };
  const model: LoadedModel = { served, network, parameters, calibration, ...readingOf(manifest) };
  try {
    for (const size of warmUpSizes) {
      infer(model, new Uint8Array(size * imageSize));
      await nextTurn();
    }
  } catch (error) {
    tf.dispose(parameters);
    throw error;
  }
  return model;
}

/** pixels [N × 784] → logits [N × labels]. */
export function infer({ network, parameters }: LoadedModel, pixels: ImageTensor): Float32Array {
  const result = tf.tidy(() => forward(network, parameters, toImageTensor(pixels)));
  const values = result.dataSync<'float32'>();
  result.dispose();
  return values;
}
