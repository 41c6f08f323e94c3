/**
 * The two gradients of a convolution for the wasm backend. Each is computed as a convolution itself, which XNNPACK runs
 * about ten times as fast as the stock kernel computes the input gradient.
 */

import { TrainyardError } from '../../lib/errors.ts';
import * as tf from '../tfjs.ts';

type Shape4D = [number, number, number, number];
type Padding = Parameters<typeof tf.backend_util.computeConv2DInfo>[4];
type Attributes = {
  readonly strides: number | [number, number];
  readonly pad: Padding;
  readonly dataFormat: 'NHWC' | 'NCHW';
};
type FilterGradient = Attributes & { readonly filterShape: Shape4D };
type InputGradient = Attributes & { readonly inputShape: Shape4D };

/**
 * The kernel `Conv2DBackpropFilter`: x [N, H, W, Cin] and dy [N, H', W', Cout] → [kh, kw, Cin, Cout],
 * where dfilter[i, j] = Σ x[n, i + s·h - pad, j + s·w - pad]ᵀ · dy[n, h, w] over n, h and w. That is
 * a convolution of x with dy, dilated by the stride s, in which N takes the place of the channels
 * and Cin that of the batch.
 *
 * @throws TrainyardError `UNSUPPORTED_CONVOLUTION` when the data format is not NHWC
 */
export const conv2dFilterGradient: tf.KernelFunc = ({ inputs, attrs }) => {
  const { x, dy } = inputs as { x: tf.Tensor4D; dy: tf.Tensor4D };
  const { strides, pad, dataFormat, filterShape } = attrs as unknown as FilterGradient;
  if (dataFormat !== 'NHWC') {
    throw new TrainyardError(
      'UNSUPPORTED_CONVOLUTION',
      `expected a convolution in data format NHWC, got ${dataFormat}; transpose its input to [N, H, W, C]`,
    );
  }
  const { padInfo, strideHeight, strideWidth } = geometry(x.shape, filterShape, strides, pad);
  const [kh, kw, inChannels, outChannels] = filterShape;
  return tf.tidy(() => {
    const image = tf.transpose(x, [3, 1, 2, 0]); // [Cin, H, W, N]
    const filter = tf.transpose(dy, [1, 2, 0, 3]); // [H', W', N, Cout]
    const padding = explicitPadding(padInfo.top, padInfo.bottom, padInfo.left, padInfo.right);
    return tf
      .conv2d(image, filter, 1, padding, 'NHWC', [strideHeight, strideWidth]) // [Cin, ≥kh, ≥kw, Cout]
      .slice([0, 0, 0, 0], [inChannels, kh, kw, outChannels]) // a stride may leave rows of x unread
      .transpose([1, 2, 0, 3]);
  });
};

/**
 * The kernel `Conv2DBackpropInput`: dy [N, H', W', Cout] and filter [kh, kw, Cin, Cout] → [N, H, W, Cin].
 * For stride 1 that is dy convolved with the filter rotated by 180° and its channels swapped, padded
 * by k - 1 - pad. Other strides, and padding wider than k - 1, stay with the stock kernel.
 */
export function conv2dInputGradient(stock: tf.KernelFunc): tf.KernelFunc {
  return (call) => {
    const { dy, filter } = call.inputs as { dy: tf.Tensor4D; filter: tf.Tensor4D };
    const { strides, pad, dataFormat, inputShape } = call.attrs as unknown as InputGradient;
    if (dataFormat !== 'NHWC') return stock(call);
    const { padInfo, strideHeight, strideWidth } = geometry(inputShape, filter.shape, strides, pad);
    const [kh, kw] = filter.shape;
    const top = kh - 1 - padInfo.top;
    const bottom = kh - 1 - padInfo.bottom;
    const left = kw - 1 - padInfo.left;
    const right = kw - 1 - padInfo.right;
    if (strideHeight !== 1 || strideWidth !== 1 || Math.min(top, bottom, left, right) < 0) return stock(call);
    return tf.tidy(() => tf.conv2d(dy, turned(filter), 1, explicitPadding(top, bottom, left, right)));
  };
}

/**
 * Rotates the filter [kh, kw, Cin, Cout] by 180° and swaps its channels: [kh, kw, Cout, Cin]. One loop takes a tenth
 * of the time of the stock kernels for reversing and gathering.
 */
function turned(filter: tf.Tensor4D): tf.Tensor4D {
  const [kh, kw, inChannels, outChannels] = filter.shape;
  const values = filter.dataSync<'float32'>();
  const result = new Float32Array(values.length);
  let from = 0;
  for (let place = kh * kw - 1; place >= 0; place--) {
    for (let input = 0; input < inChannels; input++) {
      let to = place * outChannels * inChannels + input;
      for (let output = 0; output < outChannels; output++, to += inChannels) result[to] = values[from++]!;
    }
  }
  return tf.tensor4d(result, [kh, kw, outChannels, inChannels]);
}

function geometry(
  inputShape: Shape4D,
  filterShape: Shape4D,
  strides: number | [number, number],
  pad: Padding,
): tf.Conv2DInfo {
  return tf.backend_util.computeConv2DInfo(inputShape, filterShape, strides, 1, pad);
}

function explicitPadding(top: number, bottom: number, left: number, right: number): tf.ExplicitPadding {
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}
