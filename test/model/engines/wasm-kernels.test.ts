/** The wasm gradient kernels against the plain `cpu` backend, finite differences and leaks. */
import * as tf from '@tensorflow/tfjs';
import {
  type Arbitrary,
  array,
  assert,
  asyncProperty,
  boolean,
  constant,
  constantFrom,
  integer,
  oneof,
  record,
  tuple,
} from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { randomFor, uniform } from '../../../src/lib/random.ts';
import { openEngine } from '../../../src/model/engines/open-engine.ts';
import { runs } from '../../long.ts';

type Values = { readonly shape: number[]; readonly data: Float32Array };
type TensorFunction = (...inputs: tf.Tensor[]) => tf.Tensor;
type Pair = [number, number];
type Shape4D = [number, number, number, number];
type Padding = 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;

const tolerance = 1e-3; // of the largest value, float32
const sampling = { seed: 2, numRuns: runs(150) } as const;

beforeAll(async () => {
  await openEngine('wasm');
});

beforeEach(async () => {
  await tf.setBackend('wasm');
});

describe('convolution', () => {
  type Convolution = { x: Shape4D; kernel: Pair; filters: number; pad: Padding; strides: Pair };
  const sizes = {
    x: tuple(between(1, 4), between(3, 12), between(3, 12), between(1, 5)), // [N, H, W, Cin]
    kernel: tuple(between(1, 5), between(1, 5)),
    filters: between(1, 5),
    pad: paddings(6), // wider than the kernel, too
  };
  const fits = ({ x, kernel, pad, strides }: Convolution) => windowFits(x, kernel, pad, strides);
  const withStride1 = record({ ...sizes, strides: constant<Pair>([1, 1]) }).filter(fits);
  const withAnyStride = record({ ...sizes, strides: tuple(between(1, 3), between(1, 3)) }).filter(fits);
  const convolutionError = ({ x, kernel, filters, pad, strides }: Convolution) =>
    gradientError(
      (image, filter) => tf.conv2d(image as tf.Tensor4D, filter as tf.Tensor4D, strides, pad),
      [random(x), random([...kernel, x[3], filters])],
    );

  it('has the gradients of the cpu backend for stride 1 and any padding', async () => {
    const property = asyncProperty(withStride1, async (convolution) => {
      expect(await convolutionError(convolution)).toBeLessThan(tolerance);
    });
    await assert(property, sampling);
  });

  it('has the gradients of the cpu backend for strides up to 3', async () => {
    const property = asyncProperty(withAnyStride, async (convolution) => {
      expect(await convolutionError(convolution)).toBeLessThan(tolerance);
    });
    await assert(property, sampling);
  });

  it.each<[string, Shape4D, Pair, number]>([
    ['first', [2, 28, 28, 1], [5, 5], 16],
    ['second', [1, 14, 14, 16], [5, 5], 32],
    ['third', [1, 14, 14, 32], [5, 5], 32],
    ['fourth', [1, 7, 7, 32], [5, 5], 64],
  ])("has the gradients of the cpu backend in the article's %s layer", async (_, x, kernel, filters) => {
    const convolution: Convolution = { x, kernel, filters, pad: 'same', strides: [1, 1] };
    expect(await convolutionError(convolution)).toBeLessThan(tolerance);
  });

  it('has the gradients that finite differences give', () => {
    const inputs = [random([2, 4, 5, 2]), random([3, 3, 2, 2])];
    const weights = random([2, 4, 5, 2]); // any linear function of the output
    const scalar: TensorFunction = (x, filter) =>
      tf
        .conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same')
        .mul(tensor(weights))
        .sum();
    const gradients = gradientsOf(scalar, inputs, 1);
    for (const [index, input] of inputs.entries()) {
      const differences = input.data.map((_, at) => centralDifference(scalar, inputs, index, at));
      expect(relativeError(gradients[index]!.data, differences)).toBeLessThan(tolerance);
    }
  });

  it('refuses the filter gradient of another data format than NHWC', () => {
    const inputs = { x: tf.ones([1, 2, 5, 5]), dy: tf.ones([1, 3, 5, 5]) };
    const attributes = { strides: 1, pad: 'same', dataFormat: 'NCHW', filterShape: [3, 3, 2, 3] };
    expect(() => tf.engine().runKernel('Conv2DBackpropFilter', inputs, attributes)).toThrowError(
      expect.objectContaining({
        code: 'UNSUPPORTED_CONVOLUTION',
        message: expect.stringContaining('got NCHW'),
      }),
    );
  });
});

describe('max-pool', () => {
  const pooling = record({
    shape: tuple(between(1, 4), between(1, 12), between(1, 12), between(1, 5)),
    window: tuple(between(2, 3), between(2, 3)),
    strides: tuple(between(1, 3), between(1, 3)),
    pad: paddings(1), // narrower than the window, so that no window holds nothing but padding
  }).filter(({ shape, window, pad, strides }) => windowFits(shape, window, pad, strides));

  it.each([
    ['has the gradient of the cpu backend, also where windows overlap', random],
    ['gives the gradient to the first of several equal maxima, as the cpu backend does', randomIntegers],
  ])('%s', async (_, values) => {
    const property = asyncProperty(pooling, async ({ shape, window, strides, pad }) => {
      const pool: TensorFunction = (x) => tf.maxPool(x as tf.Tensor4D, window, strides, pad);
      expect(await gradientError(pool, [values(shape)])).toBeLessThan(tolerance);
    });
    await assert(property, sampling);
  });
});

describe('dense layers, bias and loss', () => {
  it('has the gradient of the cpu backend for a bias on any number of rows', async () => {
    const shapes = array(between(1, 9), { minLength: 1, maxLength: 4 });
    const property = asyncProperty(shapes, async (shape) => {
      const inputs = [random(shape), random([shape.at(-1)!])];
      expect(await gradientError((x, bias) => x.add(bias), inputs)).toBeLessThan(tolerance);
    });
    await assert(property, sampling);
  });

  it('sums any axes as the cpu backend does', async () => {
    const x = random([3, 4, 5, 6]);
    for (const axes of [[0, 1, 2], [1, 2], [3], [0, 1, 3], [0], [0, 1, 2, 3], [-2, 0, 1]]) {
      for (const keepDims of [false, true]) {
        const [wasm, cpu] = await onBoth(() => tf.tidy(() => valuesOf(tensor(x).sum(axes, keepDims))));
        expect(wasm.shape).toEqual(cpu.shape);
        expect(relativeError(wasm.data, cpu.data)).toBeLessThan(tolerance);
      }
    }
  });

  it('sums an empty tensor to an empty one', () => {
    expect(tf.zeros([3, 0]).sum(0).shape).toEqual([0]);
  });

  it('multiplies matrices, transposed or not, with the gradients of the cpu backend', async () => {
    const side = between(1, 40);
    const property = asyncProperty(side, side, side, boolean(), boolean(), async (m, k, n, turnA, turnB) => {
      const inputs = [random(turnA ? [k, m] : [m, k]), random(turnB ? [n, k] : [k, n])];
      const product: TensorFunction = (a, b) => tf.matMul(a, b, turnA, turnB);
      expect(await gradientError(product, inputs)).toBeLessThan(tolerance);
    });
    await assert(property, sampling);
  });

  it.each<[string, TensorFunction, Values[]]>([
    ['stacks of matrices', (a, b) => tf.matMul(a, b, true, true), [random([3, 5, 4]), random([3, 6, 5])]],
    ['ReLU', (x) => tf.relu(x), [random([4, 5, 6, 7])]],
    ['softmax cross-entropy', (x) => tf.losses.softmaxCrossEntropy(oneHot(64), x), [random([64, 10], 8)]],
  ])('has the gradient of the cpu backend for %s', async (_, f, inputs) => {
    expect(await gradientError(f, inputs)).toBeLessThan(tolerance);
  });
});

describe('a whole network', () => {
  it('has the gradients of the cpu backend in every parameter', async () => {
    expect(await gradientError(networkLoss, networkParameters)).toBeLessThan(tolerance);
  });

  it('gives the same gradients, bit for bit, when asked again', () => {
    expect(gradientsOf(networkLoss, networkParameters)).toEqual(gradientsOf(networkLoss, networkParameters));
  });

  it('keeps neither tensors nor memory over many backward passes', () => {
    runBackwardPasses(5);
    const before = memory();
    runBackwardPasses(300);
    expect(memory()).toEqual(before);
  });
});

const networkParameters = [
  [3, 3, 1, 4], // filters of the first convolution
  [4], // its bias
  [3, 3, 4, 8], // filters of the second
  [8], // its bias
  [6 * 6 * 8, 10], // dense
  [10], // its bias
].map((shape) => random(shape, 0.3));
const networkImages = random([16, 12, 12, 1]);

/** The layers of the article's network, smaller: 12×12×1 → 6×6×4 → 6×6×8 → 10, batch 16. */
function networkLoss(...parameters: tf.Tensor[]): tf.Tensor {
  const [filter1, bias1, filter2, bias2, dense, denseBias] = parameters;
  const images = tensor(networkImages) as tf.Tensor4D;
  const convolved = tf.conv2d(images, filter1 as tf.Tensor4D, 1, 'same');
  const pooled = tf.maxPool(convolved, 2, 2, 'valid');
  const hidden = pooled.add(bias1!).relu<tf.Tensor4D>();
  const features = tf.conv2d(hidden, filter2 as tf.Tensor4D, 1, 'same');
  const logits = features.add(bias2!).relu().reshape([16, -1]).matMul(dense!).add(denseBias!);
  return tf.losses.softmaxCrossEntropy(oneHot(16), logits);
}

function runBackwardPasses(count: number): void {
  for (let pass = 0; pass < count; pass++) gradientsOf(networkLoss, networkParameters);
}

function between(min: number, max: number): Arbitrary<number> {
  return integer({ min, max });
}

function paddings(widest: number): Arbitrary<Padding> {
  const width = between(0, widest);
  const explicit = tuple(width, width, width, width).map(
    ([top, bottom, left, right]): Padding => [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ],
  );
  return oneof(constantFrom<Padding>('same', 'valid'), width, explicit);
}

/** Whether there is an output. Padding by one number is for square windows and strides only: tfjs ignores the rest. */
function windowFits([, height, width]: Shape4D, window: Pair, pad: Padding, strides: Pair): boolean {
  if (pad === 'same') return true;
  const isSquare = window[0] === window[1] && strides[0] === strides[1];
  if (typeof pad === 'number') return isSquare && window[0] <= Math.min(height, width) + 2 * pad;
  const [rows, columns] = pad === 'valid' ? [0, 0] : [sum(pad[1]), sum(pad[2])];
  return window[0] <= height + rows && window[1] <= width + columns;
}

function sum([before, after]: Pair): number {
  return before + after;
}

function oneHot(rows: number): tf.Tensor {
  const labels = Array.from({ length: rows }, (_, index) => (index * 7) % 10);
  return tf.oneHot(tf.tensor1d(labels, 'int32'), 10).toFloat();
}

/** The same values for the same shape, uniform in ±bound. */
function random(shape: number[], bound = 1): Values {
  return { shape, data: uniform(randomFor(1, shape.join('×')), tf.util.sizeFromShape(shape), bound) };
}

/** Integers from -2 to 2: most windows hold their maximum more than once. */
function randomIntegers(shape: number[]): Values {
  return { shape, data: random(shape, 2.5).data.map(Math.round) };
}

function tensor({ shape, data }: Values): tf.Tensor {
  return tf.tensor(data, shape);
}

/** The gradients of f by its inputs, for the gradient `dy` by its output (by default a random one). */
function gradientsOf(f: TensorFunction, inputs: readonly Values[], dy?: tf.TensorLike): Values[] {
  return tf.tidy(() => {
    const tensors = inputs.map(tensor);
    const outer = dy === undefined ? tensor(random(f(...tensors).shape)) : tf.tensor(dy);
    return tf.grads(f)(tensors, outer).map(valuesOf);
  });
}

function valuesOf(result: tf.Tensor): Values {
  return { shape: result.shape, data: Float32Array.from(result.dataSync()) };
}

/** How far the gradients on wasm are from those on cpu, in the worst of the inputs. */
async function gradientError(f: TensorFunction, inputs: readonly Values[]): Promise<number> {
  const [wasm, cpu] = await onBoth(() => gradientsOf(f, inputs));
  return Math.max(...wasm.map(({ data }, index) => relativeError(data, cpu[index]!.data)));
}

/** The result on wasm and that on cpu; leaves wasm in use. */
async function onBoth<T>(compute: () => T): Promise<[T, T]> {
  await tf.setBackend('cpu');
  const cpu = compute();
  await tf.setBackend('wasm');
  return [compute(), cpu];
}

/** Exact for a linear function whatever the step, so the step is wide and rounding stays small. */
function centralDifference(f: TensorFunction, inputs: Values[], index: number, at: number): number {
  const [above, below] = [1, -1].map((step) =>
    tf.tidy(() => {
      const moved = inputs.map(({ shape, data }, other) => {
        const values = Float32Array.from(data);
        if (other === index) values[at]! += step;
        return tensor({ shape, data: values });
      });
      return f(...moved).dataSync()[0]!;
    }),
  );
  return (above! - below!) / 2;
}

/** max|a - b| / max|b| */
function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let largest = 0;
  for (let index = 0; index < b.length; index++) {
    difference = Math.max(difference, Math.abs(a[index]! - b[index]!));
    largest = Math.max(largest, Math.abs(b[index]!));
  }
  return difference === 0 ? 0 : difference / largest;
}

function memory(): { tensors: number; buffers: number; wasmBytes: number } {
  const { numTensors, numDataBuffers } = tf.memory();
  const { wasm } = tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } };
  return { tensors: numTensors, buffers: numDataBuffers, wasmBytes: wasm.HEAPU8.buffer.byteLength };
}
