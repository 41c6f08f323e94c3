/** Images as a network takes them. Serving needs no more of the data than this. */
import * as tf from '../tfjs.ts';
import { imageSide, imageSize } from './dataset.ts';

/** Converts pixels [N × 784], bytes of 0 … 255 or floats of 0 … 1, to a tensor [N, 28, 28, 1] of 0 … 1. */
export function toImageTensor(pixels: Uint8Array | Float32Array): tf.Tensor4D {
  const greys = pixels instanceof Float32Array ? pixels : toFloats(pixels);
  return tf.tensor4d(greys, [pixels.length / imageSize, imageSide, imageSide, 1]);
}

function toFloats(pixels: Uint8Array): Float32Array {
  const greys = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) greys[i] = pixels[i]! / 255;
  return greys;
}
