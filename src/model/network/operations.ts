/**
 * The operations of a training step that a tfjs backend may compute in a faster way of its own. forward.ts and
 * step.ts have each of them in plain tfjs: the reference, and what backends without their own way use.
 */
import * as tf from '@tensorflow/tfjs';
import type { Batch } from '../data/batch.ts';
import type { Network } from './network.ts';

/** Everything a step reads and writes; all three vectors have the network's parameter count. */
export type TrainState = {
  readonly step: number; // optimizer steps taken so far
  readonly weights: tf.Tensor1D;
  readonly mean: tf.Tensor1D; // Adam's first moment
  readonly variance: tf.Tensor1D; // Adam's second moment
};

/** images [N, 28, 28, 1] in 0 … 1 → logits [N, 10]. */
export type Forward = (
  network: Network,
  parameters: readonly tf.Tensor[],
  images: tf.Tensor4D,
) => tf.Tensor2D;

/** The mean cross-entropy of a batch and its gradient by the flat weights [P]; the caller owns both. */
export type LossAndGradient = (
  network: Network,
  weights: tf.Tensor1D,
  batch: Batch,
  labelSmoothing: number,
) => { loss: tf.Scalar; gradient: tf.Tensor1D };

/** The state after a step down the gradient; the caller owns both. */
export type Adam = (state: TrainState, gradient: tf.Tensor1D, learningRate: number) => TrainState;

/** What a backend computes in its own way; the rest it computes as the reference does. */
export type Operations = {
  readonly forward?: Forward;
  readonly lossAndGradient?: LossAndGradient;
  readonly adam?: Adam;
};

const registered = new Map<string, Operations>(); // by the backend's name

/** Registers a backend's own ways, as tfjs registers its kernels: once, when the backend is opened. */
export function registerOperations(backend: string, operations: Operations): void {
  registered.set(backend, operations);
}

/** The ways of the backend in use. */
export function backendOperations(): Operations {
  return registered.get(tf.getBackend()) ?? {};
}
