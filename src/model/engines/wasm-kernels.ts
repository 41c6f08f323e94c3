/**
 * Kernels with which the tfjs 4.22 wasm backend trains a convolutional network at a useful speed. One kernel is missing
 * there (`Conv2DBackpropFilter`), and four are several times slower than XNNPACK's kernels or a plain loop.
 */
import * as tf from '../tfjs.ts';
import { conv2dFilterGradient, conv2dInputGradient } from './wasm-convolution-gradients.ts';
import { maxPoolGradient } from './wasm-max-pool-gradient.ts';

const backendName = 'wasm';

/** Adds and replaces kernels of the wasm backend. Call once, after the backend was imported and before it starts. */
export function registerWasmKernels(): void {
  tf.registerKernel({ kernelName: 'Conv2DBackpropFilter', backendName, kernelFunc: conv2dFilterGradient });
  replaceKernel('Conv2DBackpropInput', conv2dInputGradient);
  replaceKernel('MaxPoolGrad', () => maxPoolGradient);
  replaceKernel('BatchMatMul', matMul);
  replaceKernel('Sum', sum);
}

function replaceKernel(kernelName: string, replacement: (stock: tf.KernelFunc) => tf.KernelFunc): void {
  const stock = tf.getKernel(kernelName, backendName);
  tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({ ...stock, kernelFunc: replacement(stock.kernelFunc) });
}

/** The stock kernel does not use XNNPACK if a side is transposed, and is then ten times slower. */
function matMul(stock: tf.KernelFunc): tf.KernelFunc {
  return (call) => {
    const { a, b } = call.inputs as { a: tf.Tensor; b: tf.Tensor };
    const { transposeA, transposeB } = call.attrs as { transposeA: boolean; transposeB: boolean };
    if (!(transposeA || transposeB) || a.rank !== 2 || b.rank !== 2) return stock(call);
    return tf.tidy(() =>
      tf.matMul(
        (transposeA ? a.transpose() : a) as tf.Tensor2D,
        (transposeB ? b.transpose() : b) as tf.Tensor2D,
      ),
    );
  };
}

/**
 * The gradient of a bias sums [..., C] over all axes but the last. The stock kernel transposes first; XNNPACK's average
 * pool, over one window as tall as the tensor, need not.
 */
function sum(stock: tf.KernelFunc): tf.KernelFunc {
  return (call) => {
    const x = call.inputs['x'] as tf.Tensor;
    const { axis, keepDims } = call.attrs as { axis: number | number[]; keepDims: boolean };
    const axes = tf.util.parseAxisParam(axis, x.shape);
    const keepsOnlyLast = axes.length === x.rank - 1 && !axes.includes(x.rank - 1) && !keepDims;
    if (!keepsOnlyLast || x.dtype !== 'float32' || x.size === 0) return stock(call);
    const channels = x.shape.at(-1)!;
    const rows = x.size / channels;
    return tf.tidy(() => {
      const column = x.reshape<tf.Tensor4D>([1, rows, 1, channels]);
      return tf.avgPool(column, [rows, 1], 1, 'valid').mul(rows).reshape([channels]);
    });
  };
}
