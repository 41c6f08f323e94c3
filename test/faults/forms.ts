/** How often the fault tests do what they do: a few times in `npm test`, as often as promised with FAULTS=long. */
import { type Random, randomFor } from '../../src/lib/random.ts';
import { isLong } from '../long.ts';

const seed = Number(process.env['FAULTS_SEED'] ?? Date.now() % 0xffffffff);

export const faults = {
  isLong,
  /** 1 … n, for `it.each`. */
  times: (short: number, long: number): number[] =>
    Array.from({ length: isLong ? long : short }, (_, i) => i + 1),
  /** Prints the seed with which a failure can be had again: FAULTS_SEED. */
  random: (purpose: string): Random => {
    console.log(`${purpose}: FAULTS_SEED=${seed}`);
    return randomFor(seed, purpose);
  },
};
