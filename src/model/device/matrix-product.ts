/** Multiplies two small matrices on the open engine and compares the product with plain arithmetic. */
import * as tf from '../tfjs.ts';

export type Product = {
  readonly ok: boolean;
  readonly largestError: number; // as a share of the largest value
  readonly ms: number; // for a second product, when everything is loaded
};

const side = 192;
const tolerance = 2e-3; // NVIDIA's TF32 keeps 10 bits of each factor

export async function checkProduct(): Promise<Product> {
  const [a, b] = [matrix(0.1), matrix(0.7)];
  await multiply(a, b);
  const startedAt = performance.now();
  const got = await multiply(a, b);
  const ms = performance.now() - startedAt;
  const largestError = largestDifference(got, reference(a, b));
  return { ok: largestError <= tolerance, largestError, ms };
}

function matrix(phase: number): Float32Array {
  return Float32Array.from({ length: side * side }, (_, i) => Math.sin(phase + 0.37 * i));
}

async function multiply(a: Float32Array, b: Float32Array): Promise<Float32Array> {
  const product = tf.tidy(() => tf.matMul(tf.tensor2d(a, [side, side]), tf.tensor2d(b, [side, side])));
  const values = await product.data<'float32'>();
  product.dispose();
  return values;
}

function reference(a: Float32Array, b: Float32Array): Float64Array {
  const product = new Float64Array(side * side);
  for (let row = 0; row < side; row++) {
    for (let k = 0; k < side; k++) {
      const factor = a[row * side + k]!;
      for (let column = 0; column < side; column++)
        product[row * side + column]! += factor * b[k * side + column]!;
    }
  }
  return product;
}

/** The largest error, as a share of the largest value; infinite if a value is NaN. */
function largestDifference(got: Float32Array, wanted: Float64Array): number {
  let [difference, largest] = [0, 0];
  for (const [i, value] of wanted.entries()) {
    const off = Math.abs(got[i]! - value);
    difference = Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(difference, off);
    largest = Math.max(largest, Math.abs(value));
  }
  return difference / largest;
}
