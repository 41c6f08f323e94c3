/**
 * Image bytes as people send them → the 28×28 digit the network knows. sharp decodes to plain samples (decode.ts); greys,
 * ink and scale are worked out in TypeScript (image/), which costs half of what sharp's own steps do.
 */
import { messageOf } from '../../lib/errors.ts';
import { decode } from './decode.ts';
import { toGreys } from './greys.ts';
import { normalise } from './normalise.ts';
import { type ImageProblem, noInk, notRead } from './problem.ts';
import type { Warning } from './warnings.ts';

export type { ImageProblem };

/** `pixels`: [784], row-major, white ink on black, as in MNIST. */
export type ReadDigit =
  | { readonly ok: true; readonly pixels: Uint8Array; readonly warnings: readonly Warning[] }
  | ImageProblem;

/**
 * Reads one picture of any size up to 64 megapixels, depth, colour and transparency; of several frames the first. What
 * is wrong with the bytes is in the result; nothing is thrown for it.
 */
export async function readDigit(bytes: Uint8Array): Promise<ReadDigit> {
  const decoded = await decode(bytes);
  if (!decoded.ok) return decoded;
  const { samples } = decoded;
  try {
    const pixels = normalise(toGreys(samples));
    return pixels ? { ok: true, pixels, warnings: [] } : noInk(samples);
  } catch (error) {
    return notRead(samples, messageOf(error)); // costs this picture its answer, not everybody the predictor
  }
}
