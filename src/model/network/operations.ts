/**
 * The operations for which a tfjs backend may register a faster implementation. forward.ts and step.ts have the
 * reference implementation of each in plain tfjs, which all other backends use.
 */

import type { Batch } from '../data/batch.ts';
import * as tf from '../tfjs.ts';
import type { Network } from './network.ts';

/** What a step reads and replaces. The three vectors have one value for each parameter of the network. */
export type TrainState = {
  readonly step: number; // optimizer steps taken so far
  readonly weights: tf.Tensor1D;
  readonly mean: tf.Tensor1D; // Adam's first moment
  readonly variance: tf.Tensor1D; // Adam's second moment
};

/** images [N, 28, 28, 1] in 0 … 1 → logits [N, labels]. */
export type Forward = (
  network: Network,
  parameters: readonly tf.Tensor[],
  images: tf.Tensor4D,
) => tf.Tensor2D;

/**
 * What a step's loss depends on besides weights and batch. With `rejects`, the loss is over one more class, "none of
 * these", whose logit is always 0: labels are to have a logit above it, outliers none.
 */
export type LossOptions = { readonly labelSmoothing: number; readonly rejects: boolean };

/** The mean cross-entropy of a batch and its gradient with respect to the flat weights [P]; the caller owns both. */
export type LossAndGradient = (
  network: Network,
  weights: tf.Tensor1D,
  batch: Batch,
  options: LossOptions,
) => { loss: tf.Scalar; gradient: tf.Tensor1D };

/** The state after one step of Adam; the caller owns both states. */
export type Adam = (state: TrainState, gradient: tf.Tensor1D, learningRate: number) => TrainState;

/** A backend's own implementations; for what is missing, the reference is used. */
export type Operations = {
  readonly forward?: Forward;
  readonly lossAndGradient?: LossAndGradient;
  readonly adam?: Adam;
};

const registered = new Map<string, Operations>(); // by the backend's name

/** Registers a backend's own implementations, once, when the backend is opened (as tfjs registers kernels). */
export function registerOperations(backend: string, operations: Operations): void {
  registered.set(backend, operations);
}

/** The implementations of the backend in use. */
export function backendOperations(): Operations {
  return registered.get(tf.getBackend()) ?? {};
}
