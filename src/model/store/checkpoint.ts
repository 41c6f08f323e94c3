/** Encodes a network and its weights as the two files of a tfjs LayersModel, model.json and weights.bin. */
import { createRequire } from 'node:module';
import { TrainyardError } from '../../lib/errors.ts';
import { imageSide } from '../data/dataset.ts';
import { layerName, type Network, parameterCount, parametersOf } from '../network/network.ts';

const tfjs = createRequire(import.meta.url)('@tensorflow/tfjs/package.json') as { version: string };

export type CheckpointFiles = { readonly 'model.json': Uint8Array; readonly 'weights.bin': Uint8Array };

/** Writes what `tf.loadLayersModel` reads (https://www.tensorflow.org/js/guide/save_load). Weights are little-endian float32. */
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

/** Decodes the flat weights of `network`. @throws TrainyardError `MODEL_DAMAGED` when the size does not fit */
export function decodeWeights(network: Network, bytes: Uint8Array): Float32Array {
  const expected = parameterCount(network) * Float32Array.BYTES_PER_ELEMENT;
  if (bytes.byteLength !== expected) {
    throw new TrainyardError(
      'MODEL_DAMAGED',
      `weights.bin: expected ${expected} bytes for network "${network.name}", got ${bytes.byteLength}`,
    );
  }
  return new Float32Array(bytes.slice().buffer);
}

/** The network as a Keras `Sequential`, ending in softmax, for the `modelTopology` of model.json. */
function layersModelTopology(network: Network): object {
  const layers = network.layers.flatMap((_, index) => kerasLayers(network, index));
  const input = { batch_input_shape: [null, imageSide, imageSide, 1], dtype: 'float32' };
  Object.assign(layers[0]!.config, input);
  return {
    class_name: 'Sequential',
    config: { name: `trainyard_${network.name}`, layers },
    keras_version: `tfjs-layers ${tfjs.version}`,
    backend: 'tensor_flow.js',
  };
}

type KerasLayer = { class_name: string; config: Record<string, unknown> };

function kerasLayers(network: Network, index: number): KerasLayer[] {
  const layer = network.layers[index]!;
  const name = layerName(network, index);
  if (layer.kind === 'dense') {
    const isFirst = network.layers[index - 1]?.kind !== 'dense';
    const activation = index === network.layers.length - 1 ? 'softmax' : 'relu';
    const dense = { class_name: 'Dense', config: { name, units: layer.units, activation, use_bias: true } };
    return isFirst ? [{ class_name: 'Flatten', config: { name: 'flatten' } }, dense] : [dense];
  }
  const convolution = {
    class_name: 'Conv2D',
    config: {
      name,
      filters: layer.filters,
      kernel_size: [layer.kernelSize, layer.kernelSize],
      strides: [1, 1],
      padding: 'same',
      activation: 'relu',
      use_bias: true,
    },
  };
  if (layer.pool === undefined) return [convolution];
  const size = [layer.pool, layer.pool];
  const config = { name: `${name}_pool`, pool_size: size, strides: size, padding: 'valid' };
  return [convolution, { class_name: 'MaxPooling2D', config }];
}
