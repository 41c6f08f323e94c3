/** A network's weights as the two files of a tfjs LayersModel: model.json and weights.bin. */
import * as tf from '@tensorflow/tfjs';
import { TrainyardError } from '../../lib/errors.ts';
import { layersModelTopology, type Network, parameterCount, parametersOf } from '../network/network.ts';

export type CheckpointFiles = { readonly 'model.json': Uint8Array; readonly 'weights.bin': Uint8Array };

/** What `tf.loadLayersModel` reads: https://www.tensorflow.org/js/guide/save_load. Weights are little-endian float32. */
export function encodeCheckpoint(network: Network, weights: Float32Array): CheckpointFiles {
  const specs = parametersOf(network).map(({ name, shape }) => ({ name, shape, dtype: 'float32' }));
  const model = {
    format: 'layers-model',
    generatedBy: 'Trainyard',
    convertedBy: null,
    modelTopology: layersModelTopology(network),
    weightsManifest: [{ paths: ['weights.bin'], weights: specs }],
  };
  return {
    'model.json': new TextEncoder().encode(`${JSON.stringify(model, null, 2)}\n`),
    'weights.bin': new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength).slice(),
  };
}

/** The flat weights of `network`. @throws TrainyardError `MODEL_DAMAGED` when the size does not fit */
export function decodeWeights(network: Network, bytes: Uint8Array): Float32Array {
  const expected = parameterCount(network) * tf.util.bytesPerElement('float32');
  if (bytes.byteLength !== expected) {
    throw new TrainyardError(
      'MODEL_DAMAGED',
      `weights.bin: expected ${expected} bytes for network "${network.name}", got ${bytes.byteLength}`,
    );
  }
  return new Float32Array(bytes.slice().buffer);
}
