/**
 * Two gradients over TensorFlow's own fused kernels. tfjs builds ReLU's gradient from four ops
 * and two full-sized tensors, and the gradient of a bias from a general sum; the native kernels
 * do each in one pass.
 */
import * as tf from '@tensorflow/tfjs';

type Attribute = { readonly name: string; readonly type: number; readonly value: unknown };
type TensorFlowBackend = tf.KernelBackend & {
  readonly binding: { readonly TF_ATTR_TYPE: number; readonly TF_FLOAT: number };
  executeSingleOutput(op: string, attributes: Attribute[], inputs: tf.Tensor[]): tf.Tensor;
};

/** Replaces the gradients of `Relu` and of `Add` for a bias; other additions keep tfjs's own. */
export function registerTensorFlowGradients(): void {
  const generalAdd = tf.getGradient('Add');
  tf.unregisterGradient('Relu');
  tf.registerGradient({ kernelName: 'Relu', outputsToSave: [true], gradFunc: reluGradient });
  tf.unregisterGradient('Add');
  tf.registerGradient({
    kernelName: 'Add',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved, attributes) => {
      const [a, b] = saved as [tf.Tensor, tf.Tensor];
      if (!isBias(a, b)) return generalAdd.gradFunc(dy, saved, attributes);
      return { a: () => one(dy), b: () => native('BiasAddGrad', [one(dy)]) };
    },
  });
}

function reluGradient(dy: tf.Tensor | tf.Tensor[], saved: tf.Tensor[]): { x: () => tf.Tensor } {
  return { x: () => native('ReluGrad', [one(dy), saved[0]!]) };
}

/** b [C] added to a [..., C]. */
function isBias(a: tf.Tensor, b: tf.Tensor): boolean {
  return a.rank > 1 && b.rank === 1 && a.shape.at(-1) === b.size && a.dtype === 'float32';
}

function native(op: string, inputs: tf.Tensor[]): tf.Tensor {
  const backend = tf.backend() as TensorFlowBackend;
  const type = { name: 'T', type: backend.binding.TF_ATTR_TYPE, value: backend.binding.TF_FLOAT };
  return backend.executeSingleOutput(op, [type], inputs);
}

function one(dy: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return Array.isArray(dy) ? dy[0]! : dy;
}
