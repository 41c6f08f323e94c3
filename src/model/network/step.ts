/**
 * One training step as a pure function: state and batch in, new state and loss out. The optimizer is Adam (Kingma and
 * Ba, 2015, algorithm 1) on the flat weight vector. This is the reference in plain tfjs; an engine may register faster
 * implementations with the same results (operations.ts).
 */

import type { Batch } from '../data/batch.ts';
import * as tf from '../tfjs.ts';
import { referenceForward, unflatten } from './forward.ts';
import { labelCountOf, type Network } from './network.ts';
import {
  type Adam,
  backendOperations,
  type LossAndGradient,
  type LossOptions,
  type Operations,
  type TrainState,
} from './operations.ts';

/** Adam's constants, from the paper. */
export const beta1 = 0.9;
export const beta2 = 0.999;
export const epsilon = 1e-8;

export type StepOptions = LossOptions & { readonly learningRate: number };

export function initialState(weights: Float32Array): TrainState {
  return {
    step: 0,
    weights: tf.tensor1d(weights),
    mean: tf.zeros([weights.length]),
    variance: tf.zeros([weights.length]),
  };
}

/** The values of a state, in main memory. */
export type StateValues = {
  readonly step: number;
  readonly weights: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
};

export async function readState({ step, ...vectors }: TrainState): Promise<StateValues> {
  const [weights, mean, variance] = await Promise.all([
    vectors.weights.data<'float32'>(),
    vectors.mean.data<'float32'>(),
    vectors.variance.data<'float32'>(),
  ]);
  return { step, weights, mean, variance };
}

export function restoreState({ step, weights, mean, variance }: StateValues): TrainState {
  return { step, weights: tf.tensor1d(weights), mean: tf.tensor1d(mean), variance: tf.tensor1d(variance) };
}

export function disposeState(state: TrainState): void {
  tf.dispose([state.weights, state.mean, state.variance]);
}

/** The caller owns both states and the loss (a scalar: the batch's mean cross-entropy). */
export function trainStep(
  network: Network,
  state: TrainState,
  batch: Batch,
  options: StepOptions,
  { lossAndGradient = referenceLossAndGradient, adam = referenceAdam }: Operations = backendOperations(),
): { state: TrainState; loss: tf.Scalar } {
  return tf.tidy(() => {
    const { loss, gradient } = lossAndGradient(network, state.weights, batch, options);
    return { state: adam(state, gradient, options.learningRate), loss };
  });
}

/** Uses tfjs's automatic differentiation. */
export const referenceLossAndGradient: LossAndGradient = (network, weights, batch, options) =>
  tf.tidy(() => {
    const targets = targetsOf(batch.labels, labelCountOf(network), options); // outside: the gradient needs them, too
    const lossOf = (...parameters: tf.Tensor[]) => {
      const logits = referenceForward(network, parameters, batch.images);
      return meanCrossEntropy(options.rejects ? withNone(logits) : logits, targets);
    };
    const { value, grads } = tf.valueAndGrads(lossOf)(unflatten(network, weights));
    return { loss: value, gradient: tf.concat1d(grads.map((grad) => grad.flatten())) };
  });

/** Uses the order of operations from the end of section 2 of the paper, which needs fewer of them. */
export const referenceAdam: Adam = (state, gradient, learningRate) => {
  const step = state.step + 1;
  const mean = state.mean.mul(beta1).add<tf.Tensor1D>(gradient.mul(1 - beta1));
  const variance = state.variance.mul(beta2).add<tf.Tensor1D>(gradient.square().mul(1 - beta2));
  const correction = Math.sqrt(1 - beta2 ** step);
  const rate = (learningRate * correction) / (1 - beta1 ** step);
  const deviation = variance.sqrt().add(epsilon * correction);
  const weights = state.weights.sub<tf.Tensor1D>(mean.mul(rate).div(deviation));
  return { step, weights, mean, variance };
};

/**
 * One-hot rows [N, C] with the smoothing spread evenly over all classes (Szegedy et al., 2016, section 7). C is the number
 * of labels; with `rejects` it is one more, and the last class is that of outliers.
 */
export function targetsOf(
  labels: tf.Tensor1D,
  labelCount: number,
  { labelSmoothing, rejects }: LossOptions,
): tf.Tensor2D {
  const classes = rejects ? labelCount + 1 : labelCount;
  const oneHot = tf.oneHot(labels, classes).toFloat();
  return oneHot.mul(1 - labelSmoothing).add<tf.Tensor2D>(labelSmoothing / classes);
}

/** logits [N, C] → [N, C + 1]: "none of these" has the logit 0. */
export function withNone(logits: tf.Tensor2D): tf.Tensor2D {
  return tf.concat2d([logits, tf.zeros([logits.shape[0], 1])], 1);
}

/**
 * Mean cross-entropy of logits [N, C] against target distributions [N, C]. Its gradient,
 * (softmax - targets) / N, is written by hand: one op instead of the chain through log-softmax.
 */
const meanCrossEntropy = (logits: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar =>
  tf.customGrad((z, save) => {
    const logProbabilities = tf.logSoftmax(z as tf.Tensor2D);
    (save as tf.GradSaveFunc)([logProbabilities]);
    const value = logProbabilities.mul(targets).sum(-1).mean().neg();
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      saved[0]!.exp().sub(targets).mul(dy.div(logits.shape[0]));
    return { value, gradFunc };
  })(logits) as tf.Scalar;
