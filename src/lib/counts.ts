/** Histograms of small whole numbers: how often each value occurs. */

export type Counts = Uint32Array; // [values]

/** Counts every `step`-th of the values. */
export function histogram(values: Uint8Array | Uint16Array, size = 256, step = 1): Counts {
  const counts = new Uint32Array(size);
  for (let i = 0; i < values.length; i += step) counts[values[i]!]!++;
  return counts;
}

export function totalOf(counts: Counts): number {
  let total = 0;
  for (let value = 0; value < counts.length; value++) total += counts[value]!;
  return total;
}

/** The value at place `n`, from 0, of all that were counted, in order; the largest there is where `n` is past the end. */
export function nth(counts: Counts, n: number): number {
  let value = 0;
  for (let seen = counts[0]!; seen <= n && value < counts.length - 1; seen += counts[value]!) value++;
  return value;
}

/** The smallest value that a share of all that were counted does not exceed; 0 where nothing was. */
export function quantile(counts: Counts, share: number): number {
  return nth(counts, Math.ceil(share * totalOf(counts)) - 1);
}

/** The mean of the middle two where their number is even, so that mirrored values have the mirrored median. */
export function medianOf(counts: Counts): number {
  const total = totalOf(counts);
  return (nth(counts, (total - 1) >> 1) + nth(counts, total >> 1)) / 2;
}
