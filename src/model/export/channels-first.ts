/**
 * A network as PyTorch and ONNX lay it out: images [N, channels, height, width]. Here images are [N, height, width,
 * channels], so kernels change their layout, and so do the rows of the dense layer that follows the convolutions.
 */
import { type Layer, type LayerSize, sizesOf } from '../network/specification.ts';
import type { StoredModel } from '../store/read-version.ts';

export type Block = {
  readonly layer: Layer;
  /** Convolution: [filters, channels, height, width]; dense: [units, inputs]. */
  readonly weight: { readonly shape: readonly number[]; readonly values: Float32Array };
  readonly bias: Float32Array; // [filters or units]
};

/** The layers in their order, each with its parameters. */
export function channelsFirst({ manifest, weights }: StoredModel): Block[] {
  const { layers } = manifest.network;
  const sizes = sizesOf(layers);
  let offset = 0;
  const take = (count: number) => weights.subarray(offset, (offset += count));
  return layers.map((layer, index) => {
    const size = sizes[index]!;
    const kernel = take(size.fanIn * size.units);
    const afterDense = layers[index - 1]?.kind === 'dense';
    return { layer, weight: weightOf(layer, size, kernel, afterDense), bias: take(size.units) };
  });
}

/**
 * A kernel is [places, channels, units], where the places are those of its window or, in the first dense layer, of the whole
 * image; the result is [units, channels, places].
 */
function weightOf(
  layer: Layer,
  { side, fanIn, units }: LayerSize,
  kernel: Float32Array,
  afterDense: boolean,
): Block['weight'] {
  const window = layer.kind === 'dense' ? side : layer.kernelSize;
  const places = afterDense ? 1 : window ** 2;
  const channels = fanIn / places;
  const values = new Float32Array(kernel.length);
  let target = 0;
  for (let unit = 0; unit < units; unit++)
    for (let channel = 0; channel < channels; channel++)
      for (let place = 0; place < places; place++)
        values[target++] = kernel[(place * channels + channel) * units + unit]!;
  const shape = layer.kind === 'dense' ? [units, fanIn] : [units, channels, window, window];
  return { shape, values };
}

/** The values as bytes, without a copy. Both formats are little-endian, as the machine is (lib/byte-order.ts). */
export function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
