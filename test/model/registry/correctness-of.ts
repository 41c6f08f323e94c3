/** How versions do on test images, as tests make it up. */
import type { Correctness } from '../../../src/model/training/correctness.ts';

/** Right on all images but the given ones. */
export function rightBut(wrong: Iterable<number>, images = 1000): Correctness {
  const bits = new Uint8Array(Math.ceil(images / 8)).fill(255);
  for (const i of wrong) bits[i >> 3]! &= ~(1 << (i & 7));
  return { images, bits };
}

export const first = (count: number) => Array.from({ length: count }, (_, i) => i);
