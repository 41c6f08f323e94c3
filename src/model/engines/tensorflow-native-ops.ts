/**
 * TensorFlow's own ops, called by name through the tfjs binding, where tfjs has no kernel or combines several. Names and attributes: https://www.tensorflow.org/api_docs/python/tf/raw_ops;
 * names that begin with `_Mkl` are oneDNN's ops, which TensorFlow does not document (core/ops/mkl_nn_ops.cc).
 */
import { batchNormEpsilon } from '../network/fold-batch-norm.ts';
import * as tf from '../tfjs.ts';

type Attribute = { readonly name: string; readonly type: number; readonly value: unknown };
type Binding = Readonly<
  Record<
    | 'TF_ATTR_TYPE'
    | 'TF_ATTR_INT'
    | 'TF_ATTR_FLOAT'
    | 'TF_ATTR_STRING'
    | 'TF_ATTR_BOOL'
    | 'TF_ATTR_SHAPE'
    | 'TF_FLOAT',
    number
  >
>;
type TensorFlowBackend = tf.KernelBackend & {
  readonly isUsingGpuDevice: boolean;
  readonly binding: Binding;
  executeSingleOutput(op: string, attributes: readonly Attribute[], inputs: readonly tf.Tensor[]): tf.Tensor;
  executeMultipleOutputs(
    op: string,
    attributes: readonly Attribute[],
    inputs: readonly tf.Tensor[],
    outputs: number,
  ): tf.Tensor[];
};

/** The ops that training needs. Every tensor is float32, images are [N, H, W, C], convolutions keep H and W. */
export type NativeOps = {
  convolution(x: tf.Tensor, kernel: tf.Tensor): tf.Tensor;
  convolutionWithBias(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor): tf.Tensor;
  convolutionKernelGradient(x: tf.Tensor, kernelShape: number[], dy: tf.Tensor): tf.Tensor;
  convolutionInputGradient(inputShape: number[], kernel: tf.Tensor, dy: tf.Tensor): tf.Tensor;
  maxPool(x: tf.Tensor, size: number): tf.Tensor;
  /** Also returns what `maxPoolGradient` needs. */
  maxPoolToTrain(x: tf.Tensor, size: number): Pooled;
  maxPoolGradient(x: tf.Tensor, pooled: Pooled, dy: tf.Tensor, size: number): tf.Tensor;
  addBias(x: tf.Tensor, bias: tf.Tensor): tf.Tensor;
  biasGradient(dy: tf.Tensor): tf.Tensor;
  relu(x: tf.Tensor): tf.Tensor;
  reluGradient(dy: tf.Tensor, y: tf.Tensor): tf.Tensor;
  /** Normalises by the batch's moments, for each channel. Also returns what `batchNormGradient` needs. */
  batchNorm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): Normalised;
  batchNormGradient(
    x: tf.Tensor,
    gamma: tf.Tensor,
    normalised: Normalised,
    dy: tf.Tensor,
  ): { dx: tf.Tensor; gamma: tf.Tensor; beta: tf.Tensor };
  /** logits and target distributions [N, C] → losses [N] and their gradients by the logits [N, C]. */
  softmaxCrossEntropy(logits: tf.Tensor, targets: tf.Tensor): [losses: tf.Tensor, gradients: tf.Tensor];
  /** Creates a variable that lives as long as the process. */
  variable(): Variable;
  /** `scalars`: β1 and β2 to the power of the step, learning rate, β1, β2, ε. */
  applyAdam(
    state: [weights: Variable, mean: Variable, variance: Variable],
    scalars: readonly number[],
    gradient: tf.Tensor,
  ): void;
};

/** A tensor [P] that ops update in place. */
export type Variable = {
  readonly handle: tf.Tensor;
  assign(value: tf.Tensor): void;
  read(): tf.Tensor1D;
};

/** A pooled tensor and, with oneDNN, the position of each maximum. */
export type Pooled = { readonly y: tf.Tensor; readonly workspace: tf.Tensor | null };

/** A normalised tensor and what the op reserves for its gradient. */
export type Normalised = { readonly y: tf.Tensor; readonly reserved: readonly tf.Tensor[] };

/** Uses oneDNN's ops on a CPU if this TensorFlow has them. Call with the tensorflow backend in use. */
export function fastestOps(): NativeOps {
  const backend = tf.backend() as TensorFlowBackend;
  const plain = plainOps();
  if (backend.isUsingGpuDevice) return plain;
  const faster = { ...plain, ...oneDnnOps(backend) };
  return agree(plain, faster) ? faster : plain;
}

/** The ops that work on any device. */
export function plainOps(): NativeOps {
  const backend = tf.backend() as TensorFlowBackend;
  const { floats, layout, convolution, pooling, normalising } = attributesOf(backend.binding);
  const run: Run = (op, attributes, ...inputs) => backend.executeSingleOutput(op, attributes, inputs);
  const ops: NativeOps = {
    convolution: (x, kernel) => run('Conv2D', convolution, x, kernel),
    convolutionWithBias: (x, kernel, bias) => ops.addBias(ops.convolution(x, kernel), bias),
    convolutionKernelGradient: (x, kernelShape, dy) =>
      run('Conv2DBackpropFilter', convolution, x, tf.tensor1d(kernelShape, 'int32'), dy),
    convolutionInputGradient: (inputShape, kernel, dy) =>
      run('Conv2DBackpropInput', convolution, tf.tensor1d(inputShape, 'int32'), kernel, dy),
    maxPool: (x, size) => run('MaxPool', pooling(size), x),
    maxPoolToTrain: (x, size) => ({ y: ops.maxPool(x, size), workspace: null }),
    maxPoolGradient: (x, { y }, dy, size) => run('MaxPoolGrad', pooling(size), x, y, dy),
    addBias: (x, bias) => run('BiasAdd', [floats, layout], x, bias),
    biasGradient: (dy) => run('BiasAddGrad', [floats, layout], dy),
    relu: (x) => run('Relu', [floats], x),
    reluGradient: (dy, y) => run('ReluGrad', [floats], dy, y),
    batchNorm: (x, gamma, beta) => {
      const none = tf.tensor1d([]); // the op would update a mean and a variance, but only over several batches
      const inputs = [x, gamma, beta, none, none];
      const [y, , , ...reserved] = backend.executeMultipleOutputs('FusedBatchNormV3', normalising, inputs, 6);
      return { y: y!, reserved };
    },
    batchNormGradient: (x, gamma, { reserved }, dy) => {
      const inputs = [dy, x, gamma, ...reserved];
      const outputs = backend.executeMultipleOutputs('FusedBatchNormGradV3', normalising, inputs, 5);
      return { dx: outputs[0]!, gamma: outputs[1]!, beta: outputs[2]! };
    },
    softmaxCrossEntropy: (logits, targets) =>
      two(backend, 'SoftmaxCrossEntropyWithLogits', [floats], [logits, targets]),
    variable: () => createVariable(backend),
    applyAdam: ([weights, mean, variance], scalars, gradient) => {
      const constants = scalars.map((value) => tf.scalar(value));
      const inputs = [weights.handle, mean.handle, variance.handle, ...constants, gradient];
      backend.executeMultipleOutputs('ResourceApplyAdam', [floats], inputs, 0);
    },
  };
  return ops;
}

let variables = 0;

function createVariable(backend: TensorFlowBackend): Variable {
  const { text, floatValues } = attributesOf(backend.binding);
  const shape = { name: 'shape', type: backend.binding.TF_ATTR_SHAPE, value: [1] }; // ignored by the ops used here
  const name = [text('container', ''), text('shared_name', `trainyard-${++variables}`)];
  const handle = tf.keep(backend.executeSingleOutput('VarHandleOp', [floatValues, shape, ...name], []));
  return {
    handle,
    assign: (value) =>
      void backend.executeMultipleOutputs('AssignVariableOp', [floatValues], [handle, value], 0),
    read: () => backend.executeSingleOutput('ReadVariableOp', [floatValues], [handle]) as tf.Tensor1D,
  };
}

/**
 * oneDNN's faster ops: a convolution that adds the bias itself, and a max-pool that keeps the position of each maximum,
 * so that its gradient need not search again.
 */
function oneDnnOps(
  backend: TensorFlowBackend,
): Pick<NativeOps, 'convolutionWithBias' | 'maxPoolToTrain' | 'maxPoolGradient'> {
  const { convolution, pooling, text, flag } = attributesOf(backend.binding);
  const label = text('_kernel', 'MklNameChangeOp'); // the name that TensorFlow's graph rewriting gives these kernels
  const keeping = (size: number) => [...pooling(size), flag('workspace_enabled', true), label];
  const run: Run = (op, attributes, ...inputs) => backend.executeSingleOutput(op, attributes, inputs);
  return {
    convolutionWithBias: (x, kernel, bias) =>
      run('_MklNativeConv2DWithBias', [...convolution, label], x, kernel, bias),
    maxPoolToTrain: (x, size) => {
      const [y, workspace] = two(backend, '_MklNativeMaxPool', keeping(size), [x]);
      return { y, workspace };
    },
    maxPoolGradient: (x, { y, workspace }, dy, size) =>
      run('_MklNativeMaxPoolGrad', keeping(size), x, y, dy, workspace!),
  };
}

/** Whether two sets of ops give the same results; false if one can't run: not every TensorFlow has oneDNN. */
function agree(some: NativeOps, others: NativeOps): boolean {
  return tf.tidy(() => {
    const [a, b] = [tryOut(some), tryOut(others)];
    return a !== null && b !== null && a.sub(b).abs().max().dataSync()[0]! < 1e-5;
  });
}

/** Runs the ops that oneDNN replaces on a small image; null if they can't run. */
function tryOut(ops: NativeOps): tf.Tensor1D | null {
  const values = Array.from({ length: 2 * 4 * 4 * 3 }, (_, i) => Math.sin(i));
  const x = tf.tensor4d(values, [2, 4, 4, 3]);
  const kernel = tf.tensor4d(values.slice(0, 3 * 3 * 3 * 2), [3, 3, 3, 2]);
  try {
    const convolved = ops.convolutionWithBias(x, kernel, tf.tensor1d([0.5, -0.5]));
    const pooled = ops.maxPoolToTrain(convolved, 2);
    const gradient = ops.maxPoolGradient(convolved, pooled, pooled.y, 2);
    return tf.concat1d([convolved.flatten(), gradient.flatten()]);
  } catch {
    return null;
  }
}

type Run = (op: string, attributes: readonly Attribute[], ...inputs: readonly tf.Tensor[]) => tf.Tensor;

function two(
  backend: TensorFlowBackend,
  op: string,
  attributes: readonly Attribute[],
  inputs: readonly tf.Tensor[],
): [tf.Tensor, tf.Tensor] {
  return backend.executeMultipleOutputs(op, attributes, inputs, 2) as [tf.Tensor, tf.Tensor];
}

function attributesOf(binding: Binding) {
  const { TF_ATTR_TYPE, TF_ATTR_INT, TF_ATTR_STRING, TF_ATTR_BOOL, TF_FLOAT } = binding;
  const text = (name: string, value: string) => ({ name, type: TF_ATTR_STRING, value });
  const flag = (name: string, value: boolean) => ({ name, type: TF_ATTR_BOOL, value });
  const integers = (name: string, value: number[]) => ({ name, type: TF_ATTR_INT, value });
  const floats = { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT };
  const floatValues = { ...floats, name: 'dtype' };
  const layout = text('data_format', 'NHWC');
  const convolution = [
    floats,
    layout,
    text('padding', 'SAME'),
    integers('strides', [1, 1, 1, 1]),
    integers('dilations', [1, 1, 1, 1]),
  ];
  const pooling = (size: number) => [
    floats,
    layout,
    text('padding', 'VALID'),
    integers('ksize', [1, size, size, 1]),
    integers('strides', [1, size, size, 1]),
  ];
  const normalising = [
    floats,
    { ...floats, name: 'U' }, // of γ, β and the moments
    layout,
    { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: batchNormEpsilon },
    flag('is_training', true),
  ];
  return { text, flag, floats, floatValues, layout, convolution, pooling, normalising };
}
