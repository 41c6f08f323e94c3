/**
 * Faster ways to the same values, which an engine brings for its tfjs backend. network.ts and step.ts have every one
 * of them in plain tfjs, to read, to compare with, and for backends that bring none.
 */
import * as tf from '@tensorflow/tfjs';
import type { Forward } from '../network/network.ts';
import type { Adam, LossAndGradient } from '../network/step.ts';

export type Tuning = {
  readonly forward?: Forward;
  readonly lossAndGradient?: LossAndGradient;
  readonly adam?: Adam;
};

const ofBackend = new Map<string, Tuning>();

/** From now on this backend computes so. */
export function tune(backend: string, ways: Tuning): void {
  ofBackend.set(backend, ways);
}

/** Of the backend in use. */
export function tuning(): Tuning {
  return ofBackend.get(tf.getBackend()) ?? {};
}
