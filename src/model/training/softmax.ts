/** What is read off a row of logits. This file loads no tfjs, so that any process can import it. */

/** The index, relative to `start`, of the largest of values[start … start + length); NaN never wins. */
export function indexOfMaximum(values: ArrayLike<number>, start: number, length: number): number {
  let best = 0;
  for (let i = 1; i < length; i++) {
    if (values[start + i]! > values[start + best]!) best = i;
  }
  return best;
}

/** Row `index` of logits [count × length]. */
export function rowOf(logits: Float32Array, length: number, index: number): Float32Array {
  return logits.subarray(index * length, (index + 1) * length);
}

/** log Σ exp(logits / temperature) over one row of `length` logits from `start` on. */
export function logSumExp(logits: ArrayLike<number>, start: number, length: number, temperature = 1): number {
  const most = logits[start + indexOfMaximum(logits, start, length)]! / temperature;
  let sum = 0;
  for (let i = start; i < start + length; i++) sum += Math.exp(logits[i]! / temperature - most);
  return most + Math.log(sum);
}
