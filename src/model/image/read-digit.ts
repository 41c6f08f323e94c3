/**
 * Image bytes as people send them → the 28×28 digit the network knows. sharp decodes to plain samples, but for
 * small plain PNGs (image/plain-png.ts); greys, ink and scale are worked out in TypeScript (image/), which costs
 * half of what sharp's own steps do.
 */
import { isMainThread } from 'node:worker_threads';
import sharp, { type FailOnOptions } from 'sharp';
import { messageOf } from '../../lib/errors.ts';
import { type Greys, type Samples, toGreys } from './greys.ts';
import { normaliseWithWarnings } from './normalise.ts';
import { readPlainPng } from './plain-png.ts';
import { isLoss, tidyJpeg } from './tidy-jpeg.ts';
import type { Warning } from './warnings.ts';

export type ImageProblem = {
  readonly ok: false;
  readonly code:
    | 'IMAGE_EMPTY'
    | 'IMAGE_TYPE_UNSUPPORTED'
    | 'IMAGE_TOO_LARGE'
    | 'IMAGE_NOT_DECODABLE'
    | 'IMAGE_NO_INK'
    | 'IMAGE_NOT_READ'; // a fault of this program
  readonly message: string;
};

/** `pixels`: [784], row-major, white ink on black, as in MNIST. `warnings`: absent where there are none. */
export type ReadDigit =
  | { readonly ok: true; readonly pixels: Uint8Array; readonly warnings?: readonly Warning[] }
  | ImageProblem;

const maxPixels = 4e6;
const maxSide = 10_000; // pixels; the border of a thin strip would cost more than its area

// Whatever the bytes claim to be, libvips opens nothing but these two. That and the cache are the process's: a thread
// that blocked and unblocked once more could make another's decoding fail meanwhile.
if (isMainThread) {
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: ['VipsForeignLoadPng', 'VipsForeignLoadJpeg'] });
  sharp.cache(false); // no image comes twice
}

/**
 * Reads one PNG or JPEG of any size up to 4 megapixels, depth, colour and transparency. What is wrong
 * with the bytes is in the result; nothing is thrown for it.
 */
export async function readDigit(bytes: Uint8Array): Promise<ReadDigit> {
  return readGreys(bytes, (greys) => {
    const read = normaliseWithWarnings(greys);
    if (!read) return noInk(greys);
    const { pixels, warnings } = read;
    return warnings.length === 0 ? { ok: true, pixels } : { ok: true, pixels, warnings };
  });
}

/** Decodes a picture and reads its greys; a fault of `read` costs this picture its answer, not everybody the predictor. */
export async function readGreys<Result>(
  bytes: Uint8Array,
  read: (greys: Greys) => Result,
): Promise<Result | ImageProblem> {
  if (bytes.length === 0) return problem('IMAGE_EMPTY', 'expected a PNG or JPEG image, got no bytes');
  const type = typeOf(bytes);
  if (type !== 'PNG' && type !== 'JPEG') {
    return problem('IMAGE_TYPE_UNSUPPORTED', `expected a PNG or JPEG image, got ${type}; convert it to PNG`);
  }
  let samples: Samples;
  try {
    samples = type === 'PNG' ? (readPlainPng(bytes) ?? (await decode(bytes))) : await decodeJpeg(bytes);
  } catch (error) {
    return notDecoded(bytes, type, error);
  }
  if (Math.max(samples.width, samples.height) > maxSide) return tooLarge(samples);
  try {
    return read(toGreys(samples));
  } catch (error) {
    return fault(samples, error);
  }
}

/** Strictly first, which is all that most files need; then whatever lacks no pixels. */
async function decodeJpeg(bytes: Uint8Array): Promise<Samples> {
  try {
    return await decode(bytes);
  } catch {
    try {
      return await decode(tidyJpeg(bytes) ?? bytes);
    } catch (error) {
      if (isLoss(messageOf(error), bytes)) throw error;
      return decode(bytes, 'error'); // as it came: without an end marker added, a file that was cut off still fails
    }
  }
}

async function decode(bytes: Uint8Array, failOn: FailOnOptions = 'warning'): Promise<Samples> {
  const image = sharp(bytes, { sequentialRead: true, limitInputPixels: maxPixels, failOn }).autoOrient();
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return { values: data, width: info.width, height: info.height, channels: info.channels };
}

/** sharp's errors have no code; the header, read again, tells an image too large from a damaged one. */
async function notDecoded(bytes: Uint8Array, type: string, error: unknown): Promise<ImageProblem> {
  const header = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch(() => null);
  if (header && header.width * header.height > maxPixels) return tooLarge(header);
  const reason = messageOf(error).trim().split('\n').at(-1)!.replace(/:$/, '');
  return problem(
    'IMAGE_NOT_DECODABLE',
    `expected a whole ${type}, got a damaged one: ${reason}; send it again`,
  );
}

function tooLarge({ width, height }: { width: number; height: number }): ImageProblem {
  const limit = `${maxPixels} pixels and sides of ${maxSide}`;
  return problem('IMAGE_TOO_LARGE', `expected at most ${limit}, got ${width}×${height}; scale it down`);
}

/** A picture in which nothing can be read. */
export function noInk({ width, height }: { width: number; height: number }): ImageProblem {
  return problem(
    'IMAGE_NO_INK',
    `expected a digit that stands out from its background, got ${width}×${height} pixels of nearly one tone; draw it stronger`,
  );
}

function fault({ width, height }: Samples, error: unknown): ImageProblem {
  return problem(
    'IMAGE_NOT_READ',
    `expected to read ${width}×${height} pixels, met a fault of this program: ${messageOf(error)}; please report it with the picture`,
  );
}

/** First bytes, as Latin-1; text comes last, as it may be almost anything. */
const signatures: readonly (readonly [type: string, matches: (head: string) => boolean])[] = [
  ['PNG', (head) => head.startsWith('\x89PNG\r\n\x1a\n')],
  ['JPEG', (head) => head.startsWith('\xff\xd8')],
  ['a GIF', (head) => head.startsWith('GIF8')],
  ['a WebP', (head) => head.startsWith('RIFF') && head.startsWith('WEBP', 8)],
  ['a TIFF', (head) => head.startsWith('II*\0') || head.startsWith('MM\0*')],
  ['a BMP', (head) => head.startsWith('BM') && head.startsWith('\0\0\0\0', 6)], // four reserved bytes
  ['a HEIC or AVIF', (head) => head.startsWith('ftyp', 4)],
  ['a PDF', (head) => head.startsWith('%PDF')],
  ['an SVG', (head) => isText(head) && head.includes('<svg')],
  ['text', isText],
];

function isText(head: string): boolean {
  return /^[\t\n\r\x20-\x7e\x80-\xff]+$/.test(head);
}

/** Tells the format by the first bytes alone; what a client declares is no evidence. */
function typeOf(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 512)).toString('latin1');
  return signatures.find(([, matches]) => matches(head))?.[0] ?? 'bytes of an unknown type';
}

function problem(code: ImageProblem['code'], message: string): ImageProblem {
  return { ok: false, code, message };
}
