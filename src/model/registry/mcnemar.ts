/**
 * McNemar's test in its exact form: whether two classifiers that were tested on the same images differ in accuracy. Only
 * the images count that one of them gets right and the other wrong; if both were equally good, each of these would be
 * won by either with probability 1/2.
 * Source: Q. McNemar, Note on the sampling error of the difference between correlated proportions or percentages,
 * Psychometrika 12 (1947).
 */

/** The two-sided p-value, 0 … 1, of `b` images that only one gets right and `c` that only the other does. */
export function mcNemar(b: number, c: number): number {
  const n = b + c;
  const fewer = Math.min(b, c);
  let tail = 0; // P(X ≤ fewer), X ~ Binomial(n, 1/2)
  let logTerm = -n * Math.LN2; // ln of C(n, k) / 2^n; the term itself underflows from n = 1075 on
  for (let k = 0; k <= fewer; k++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log(n - k) - Math.log(k + 1);
  }
  return Math.min(1, 2 * tail);
}
