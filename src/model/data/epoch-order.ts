/** Which images an epoch trains on, and in which order. */
import { permutation, randomFor } from '../../lib/random.ts';
import type { Split } from './dataset.ts';

const mostRepeats = 10; // of an image with a rare label: more would be learnt by heart

export type EpochPlan = {
  readonly passes: number; // how often an epoch goes through the images
  readonly balance: boolean; // repeats images of rare labels until all labels are equally frequent
  readonly shuffle: boolean;
  readonly seed: number;
};

/** The positions of an epoch's images; each as often as it is trained on. */
export function examplesOf({ count, labels }: Split, { passes, balance }: EpochPlan): Uint32Array {
  const once = balance
    ? balanced(labels.subarray(0, count))
    : Uint32Array.from({ length: count }, (_, i) => i);
  const all = new Uint32Array(passes * once.length);
  for (let pass = 0; pass < passes; pass++) all.set(once, pass * once.length);
  return all;
}

/** The examples in the order of an epoch, which no other epoch has where they are shuffled. */
export function epochOrder(examples: Uint32Array, { shuffle, seed }: EpochPlan, epoch: number): Uint32Array {
  if (!shuffle) return examples;
  const order = permutation(randomFor(seed, `shuffle epoch ${epoch}`), examples.length);
  return order.map((place) => examples[place]!);
}

function balanced(labels: Split['labels']): Uint32Array {
  const byLabel = new Map<number, number[]>();
  for (const [i, label] of labels.entries()) {
    const places = byLabel.get(label);
    if (places) places.push(i);
    else byLabel.set(label, [i]);
  }
  const most = Math.max(0, ...Array.from(byLabel.values(), ({ length }) => length));
  const examples: number[] = [];
  for (const places of byLabel.values()) {
    const wanted = Math.min(most, mostRepeats * places.length);
    for (let i = 0; i < wanted; i++) examples.push(places[i % places.length]!);
  }
  return Uint32Array.from(examples);
}
