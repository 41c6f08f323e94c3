/** Image bytes → greys → whatever is to be read from them. sharp decodes; greys, ink and scale are worked out in TypeScript. */
import { messageOf } from '../../lib/errors.ts';
import { decode } from './decode.ts';
import { type Greys, toGreys } from './greys.ts';
import { type ImageProblem, noInk, notRead } from './problem.ts';

/**
 * Reads one picture of any size up to 64 megapixels, depth, colour and transparency; of several frames the first. What
 * is wrong with the bytes is in the result; nothing is thrown for it.
 *
 * `read`: null where there is no ink. `shrink`: how many pixels of the picture, along each side, a grey is the mean of.
 */
export async function readGreys<Result>(
  bytes: Uint8Array,
  read: (greys: Greys, shrink: number) => Result | null,
): Promise<Result | ImageProblem> {
  const decoded = await decode(bytes);
  if (!decoded.ok) return decoded;
  const { samples, shrink, size } = decoded;
  try {
    return read(toGreys(samples), shrink) ?? noInk(size);
  } catch (error) {
    return notRead(size, messageOf(error)); // costs this picture its answer, not everybody the predictor
  }
}
