/**
 * Everything random comes from the job's seed, through one small generator per purpose:
 * the shuffle of epoch 3 is the same whether or not anything was drawn before it.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export type Random = ReturnType<typeof xoroshiro128plus>;

/** An independent stream for `purpose` ('initialise', 'shuffle epoch 3'): seed and purpose hashed by FNV-1a. */
export function randomFor(seed: number, purpose: string): Random {
  let hash = 0x811c9dc5;
  for (const character of `${seed}:${purpose}`) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  }
  return xoroshiro128plus(hash);
}

/** A number, uniform in [least, most). */
export function between(random: Random, least: number, most: number): number {
  return least + uniformFloat64(random) * (most - least);
}

/** One of some things, each as likely as the others. */
export function oneOf<T>(random: Random, things: ArrayLike<T>): T {
  return things[uniformInt(random, 0, things.length - 1)]!;
}

/** `count` float32 values, uniform in [-bound, bound). */
export function uniform(random: Random, count: number, bound: number): Float32Array {
  return Float32Array.from({ length: count }, () => (uniformFloat64(random) * 2 - 1) * bound);
}

/** The integers 0 … count-1 in random order (Fisher–Yates, as in Knuth, TAOCP 2, 3.4.2 P). */
export function permutation(random: Random, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = uniformInt(random, 0, last);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
