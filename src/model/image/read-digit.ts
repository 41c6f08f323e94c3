/** Image bytes as people send them → the 28×28 digit that the network knows. */
import { normaliseWithWarnings } from './normalise.ts';
import type { ImageProblem } from './problem.ts';
import { readGreys } from './read-greys.ts';
import type { Warning } from './warnings.ts';

export type { ImageProblem };

/** `pixels`: [784], row-major, white ink on black, as in MNIST. */
export type ReadDigit =
  | { readonly ok: true; readonly pixels: Uint8Array; readonly warnings: readonly Warning[] }
  | ImageProblem;

/** Reads what `readGreys` reads. What is wrong with the bytes is in the result; nothing is thrown for it. */
export function readDigit(bytes: Uint8Array): Promise<ReadDigit> {
  return readGreys(bytes, (greys) => {
    const read = normaliseWithWarnings(greys);
    return read && { ok: true, ...read };
  });
}
