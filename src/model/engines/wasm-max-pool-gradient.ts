/** The gradient of max-pooling for the wasm backend, as a loop over the backend's own memory. */
import * as tf from '../tfjs.ts';

type WasmBackend = {
  makeOutput(shape: readonly number[], dtype: 'float32'): tf.TensorInfo;
  /** Returns a view, not a copy. It becomes invalid when the wasm memory grows, which `makeOutput` may cause. */
  typedArrayFromHeap(tensor: tf.TensorInfo): Float32Array;
};
type Attributes = {
  readonly filterSize: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: Parameters<typeof tf.backend_util.computePool2DInfo>[4];
};
type Window = tf.Conv2DInfo;

/**
 * The kernel `MaxPoolGrad`: dy [N, H', W', C] and input [N, H, W, C] → [N, H, W, C]. Each value of
 * dy goes to the first largest value of its window. The stock kernel searches all windows of every input value, which
 * takes three to four times as long.
 */
export const maxPoolGradient: tf.KernelFunc = (call) => {
  const backend = call.backend as WasmBackend;
  const { dy, input } = call.inputs as { dy: tf.Tensor4D; input: tf.Tensor4D };
  const { filterSize, strides, pad } = call.attrs as unknown as Attributes;
  const window = tf.backend_util.computePool2DInfo(input.shape, filterSize, strides, 1, pad);
  const dx = backend.makeOutput(input.shape, 'float32');
  scatterToMaxima(
    window,
    backend.typedArrayFromHeap(input),
    backend.typedArrayFromHeap(dy),
    backend.typedArrayFromHeap(dx).fill(0),
  );
  return dx;
};

function scatterToMaxima(window: Window, x: Float32Array, dy: Float32Array, dx: Float32Array): void {
  const { batchSize, inHeight, inWidth, inChannels: channels, outHeight, outWidth } = window;
  const { strideHeight, strideWidth, filterHeight, filterWidth, padInfo } = window;
  let out = 0;
  for (let image = 0; image < batchSize; image++) {
    for (let row = 0; row < outHeight; row++) {
      const top = row * strideHeight - padInfo.top;
      const rowStart = Math.max(top, 0);
      const rowEnd = Math.min(top + filterHeight, inHeight);
      for (let column = 0; column < outWidth; column++) {
        const left = column * strideWidth - padInfo.left;
        const columnStart = Math.max(left, 0);
        const columnEnd = Math.min(left + filterWidth, inWidth);
        for (let channel = 0; channel < channels; channel++, out++) {
          let best = ((image * inHeight + rowStart) * inWidth + columnStart) * channels + channel;
          for (let y = rowStart; y < rowEnd; y++) {
            const start = (image * inHeight + y) * inWidth;
            for (let at = columnStart; at < columnEnd; at++) {
              const index = (start + at) * channels + channel;
              // Arithmetic instead of `if`: the processor would mispredict the branch too often.
              best += Number(x[index]! > x[best]!) * (index - best);
            }
          }
          dx[best]! += dy[out]!;
        }
      }
    }
  }
}
