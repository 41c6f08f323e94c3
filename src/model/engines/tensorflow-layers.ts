/**
 * A network's layers over TensorFlow's own ops, with hand-written backward passes. The reference in plain tfjs
 * (forward.ts, step.ts) gives the same values with twice as many ops: ReLU's gradient takes four ops and two full-sized
 * tensors there, and the gradient of a bias takes a general sum.
 */

import type { Batch } from '../data/batch.ts';
import { type LayerParameters, parametersByLayer, unflatten } from '../network/forward.ts';
import type { Network } from '../network/network.ts';
import type { Adam, LossOptions, Operations } from '../network/operations.ts';
import type { Layer } from '../network/specification.ts';
import { beta1, beta2, epsilon, targetsOf, withNone } from '../network/step.ts';
import * as tf from '../tfjs.ts';
import type { NativeOps } from './tensorflow-native-ops.ts';

/** A layer's output, and its backward pass: from the output's gradient to those of input and parameters. */
type Applied = {
  readonly y: tf.Tensor;
  readonly backward: (dy: tf.Tensor) => Gradients;
};
type Gradients = {
  readonly dx: () => tf.Tensor; // a function, because the first layer's is never needed
  readonly kernel: tf.Tensor;
  readonly bias: tf.Tensor;
  readonly gamma?: tf.Tensor; // of batch normalisation
};

/** Call with the tensorflow backend in use. */
export function tensorFlowOperations(ops: NativeOps): Operations {
  return {
    forward: (network, parameters, images) =>
      tf.tidy(() => {
        let x: tf.Tensor = images;
        const last = network.layers.length - 1;
        const byLayer = parametersByLayer(network, parameters);
        for (const [index, layer] of network.layers.entries())
          x = inferLayer(ops, layer, index === last, x, byLayer[index]!);
        return x as tf.Tensor2D;
      }),
    lossAndGradient: (network, weights, batch, options) =>
      tf.tidy(() => {
        const layers = applyAll(ops, network, unflatten(network, weights), batch.images);
        const logits = layers.at(-1)!.y as tf.Tensor2D;
        const { loss, dLogits } = meanCrossEntropy(ops, logits, batch, options);
        return { loss, gradient: backward(layers, dLogits) };
      }),
    adam: createAdam(ops),
  };
}

/**
 * The forward pass for inference: it keeps nothing for a gradient, and adds the bias before the pool, where it costs
 * nothing. A single image takes a quarter less time than with the forward pass for training.
 */
function inferLayer(
  ops: NativeOps,
  layer: Layer,
  isLast: boolean,
  x: tf.Tensor,
  { kernel, bias }: LayerParameters,
): tf.Tensor {
  if (layer.kind === 'dense') {
    const { y } = dense(ops, x, kernel, bias);
    return isLast ? y : ops.relu(y);
  }
  const convolved = ops.convolutionWithBias(x, kernel, bias);
  return ops.relu(layer.pool === undefined ? convolved : ops.maxPool(convolved, layer.pool));
}

/** One op instead of twelve. It works on variables, which share a tensor's memory until they write to it. */
function createAdam(ops: NativeOps): Adam {
  const [weights, mean, variance] = [ops.variable(), ops.variable(), ops.variable()];
  return (state, gradient, learningRate) => {
    weights.assign(state.weights);
    mean.assign(state.mean);
    variance.assign(state.variance);
    const step = state.step + 1;
    const [power1, power2] = [beta1 ** step, beta2 ** step];
    const scaledEpsilon = epsilon * Math.sqrt(1 - power2); // the op uses the order at the end of section 2 of the paper
    const scalars = [power1, power2, learningRate, beta1, beta2, scaledEpsilon];
    ops.applyAdam([weights, mean, variance], scalars, gradient);
    return { step, weights: weights.read(), mean: mean.read(), variance: variance.read() };
  };
}

function applyAll(
  ops: NativeOps,
  network: Network,
  parameters: readonly tf.Tensor[],
  images: tf.Tensor,
): Applied[] {
  let x = images;
  const byLayer = parametersByLayer(network, parameters);
  return network.layers.map((layer, index) => {
    const isHidden = index < network.layers.length - 1;
    const own = byLayer[index]!;
    const applied =
      layer.kind === 'dense' && isHidden
        ? hiddenDense(ops, x, own.kernel, own.bias)
        : apply(ops, layer, x, own);
    x = applied.y;
    return applied;
  });
}

/** Returns the gradients of all parameters, flat, in the order of the weights. */
function backward(layers: readonly Applied[], dLogits: tf.Tensor): tf.Tensor1D {
  const flat: tf.Tensor1D[] = [];
  let dy = () => dLogits;
  for (const layer of layers.toReversed()) {
    const { dx, kernel, bias, gamma } = layer.backward(dy());
    flat.unshift(kernel.flatten(), bias.flatten(), ...(gamma ? [gamma.flatten()] : []));
    dy = dx;
  }
  return tf.concat1d(flat);
}

function meanCrossEntropy(
  ops: NativeOps,
  logits: tf.Tensor2D,
  { labels }: Batch,
  options: LossOptions,
): { loss: tf.Scalar; dLogits: tf.Tensor } {
  const all = options.rejects ? withNone(logits) : logits;
  const [losses, gradients] = ops.softmaxCrossEntropy(all, targetsOf(labels, logits.shape[1], options));
  const dLogits = gradients.div<tf.Tensor2D>(labels.size).slice([0, 0], logits.shape); // without that of the fixed logit
  return { loss: losses.mean<tf.Scalar>(), dLogits };
}

function apply(
  ops: NativeOps,
  layer: Layer,
  x: tf.Tensor,
  { kernel, bias, gamma }: LayerParameters,
): Applied {
  if (layer.kind === 'dense') return dense(ops, x, kernel, bias);
  if (gamma) return normalisedConvolution(ops, layer.pool, x, { kernel, beta: bias, gamma });
  return layer.pool === undefined
    ? convolution(ops, x, kernel, bias)
    : pooledConvolution(ops, layer.pool, x, kernel, bias);
}

function dense(ops: NativeOps, x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor): Applied {
  const rows = x.reshape<tf.Tensor2D>([x.shape[0], -1]); // [N, inputs]
  return {
    y: ops.addBias(tf.matMul(rows, kernel), bias),
    backward: (dy) => ({
      dx: () => tf.matMul(dy, kernel, false, true).reshape(x.shape),
      kernel: tf.matMul(rows, dy, true, false),
      bias: ops.biasGradient(dy),
    }),
  };
}

/** Dense layer, ReLU. */
function hiddenDense(ops: NativeOps, x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor): Applied {
  const linear = dense(ops, x, kernel, bias);
  const y = ops.relu(linear.y);
  return { y, backward: (dy) => linear.backward(ops.reluGradient(dy, y)) };
}

/** Convolution, bias, ReLU. */
function convolution(ops: NativeOps, x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor): Applied {
  const y = ops.relu(ops.convolutionWithBias(x, kernel, bias));
  return {
    y,
    backward: (dy) => {
      const dConvolved = ops.reluGradient(dy, y);
      return {
        dx: () => ops.convolutionInputGradient(x.shape, kernel, dConvolved),
        kernel: ops.convolutionKernelGradient(x, kernel.shape, dConvolved),
        bias: ops.biasGradient(dConvolved),
      };
    },
  };
}

/** Convolution, max-pool, bias, ReLU: bias and ReLU come after the pool, as in forward.ts. */
function pooledConvolution(
  ops: NativeOps,
  size: number,
  x: tf.Tensor,
  kernel: tf.Tensor,
  bias: tf.Tensor,
): Applied {
  const convolved = ops.convolution(x, kernel);
  const pooled = ops.maxPoolToTrain(convolved, size);
  const y = ops.relu(ops.addBias(pooled.y, bias));
  return {
    y,
    backward: (dy) => {
      const dPooled = ops.reluGradient(dy, y);
      const dConvolved = ops.maxPoolGradient(convolved, pooled, dPooled, size);
      return {
        dx: () => ops.convolutionInputGradient(x.shape, kernel, dConvolved),
        kernel: ops.convolutionKernelGradient(x, kernel.shape, dConvolved),
        bias: ops.biasGradient(dPooled),
      };
    },
  };
}

type Normalised = { readonly kernel: tf.Tensor; readonly beta: tf.Tensor; readonly gamma: tf.Tensor };

/** Convolution, batch normalisation, max-pool if there is a size, ReLU: in the order of forward.ts. */
function normalisedConvolution(
  ops: NativeOps,
  size: number | undefined,
  x: tf.Tensor,
  { kernel, beta, gamma }: Normalised,
): Applied {
  const convolved = ops.convolution(x, kernel);
  const normalised = ops.batchNorm(convolved, gamma, beta);
  const pooled = size === undefined ? normalised : ops.maxPoolToTrain(normalised.y, size);
  const y = ops.relu(pooled.y);
  return {
    y,
    backward: (dy) => {
      const dPooled = ops.reluGradient(dy, y);
      const dNormalised =
        'workspace' in pooled ? ops.maxPoolGradient(normalised.y, pooled, dPooled, size!) : dPooled;
      const gradients = ops.batchNormGradient(convolved, gamma, normalised, dNormalised);
      return {
        dx: () => ops.convolutionInputGradient(x.shape, kernel, gradients.dx),
        kernel: ops.convolutionKernelGradient(x, kernel.shape, gradients.dx),
        bias: gradients.beta,
        gamma: gradients.gamma,
      };
    },
  };
}
