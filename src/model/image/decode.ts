/**
 * The bytes of a picture → samples. Small plain PNGs are read on the spot (plain-png.ts), others by sharp: exactly, up to
 * a working size, and larger ones shrunk while they are decoded, so that no large picture lies in memory whole. Whatever
 * would is refused.
 */
import { isMainThread } from 'node:worker_threads';
import { messageOf } from '../../lib/errors.ts';
import {
  type Examined,
  examine,
  fits,
  hasFewEnoughPixels,
  maxDecodeBytes,
  maxPixels,
  maxSide,
  workingPixels,
  workingSide,
} from './examine.ts';
import { readJpegHeader } from './formats/jpeg-header.ts';
import { type Format, typeOf } from './formats/signatures.ts';
import { swapsSides, turnUpright } from './orientation.ts';
import { readPlainPng } from './plain-png.ts';
import {
  damaged,
  emptyPicture,
  type ImageProblem,
  tooManyPixels,
  tooMuchMemory,
  unsupported,
} from './problem.ts';
import type { Samples } from './samples.ts';
import { type FailOnOptions, type Sharp, sharp } from './sharp.ts';
import { isLoss, tidyJpeg } from './tidy-jpeg.ts';

// Whatever the bytes claim to be, libvips opens nothing but these. That holds for the process: a thread that blocked and
// unblocked once more could make another's decoding fail meanwhile.
if (isMainThread) {
  const loaders = ['Png', 'Jpeg', 'Webp', 'Heif', 'Nsgif', 'Tiff'];
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: loaders.map((loader) => `VipsForeignLoad${loader}`) });
}
sharp.cache(false); // no image comes twice; in every thread, since loading sharp turns the cache of the process on

/** Formats whose strictly bounded pixels bound the memory too. Of others, a small header may announce large parts. */
const modest: readonly Format[] = ['PNG', 'JPEG'];

type Size = { readonly width: number; readonly height: number };

/** `shrink`: how many pixels of the picture, along each side, a sample is the mean of. `size`: of the picture, upright. */
export type Decoded =
  | { readonly ok: true; readonly samples: Samples; readonly shrink: number; readonly size: Size }
  | ImageProblem;

/** What is wrong with the bytes is in the result; nothing is thrown for it. */
export async function decode(bytes: Uint8Array): Promise<Decoded> {
  if (bytes.length === 0) return emptyPicture();
  const type = typeOf(bytes);
  if (type.format === null) return unsupported(type.name, type.advice);
  const { format } = type;
  if (!modest.includes(format) || isLargeJpeg(bytes, format)) return decodeExamined(bytes, format);
  try {
    const plain = format === 'PNG' ? readPlainPng(bytes) : null;
    const samples = plain ?? (await decodeBy(exactly, bytes, format));
    if (Math.max(samples.width, samples.height) <= workingSide)
      return { ok: true, samples, shrink: 1, size: samples };
  } catch (error) {
    return decodeExamined(bytes, format, error); // it may be too large for that
  }
  return decodeExamined(bytes, format);
}

function isLargeJpeg(bytes: Uint8Array, format: Format): boolean {
  const header = format === 'JPEG' ? readJpegHeader(bytes) : null;
  return header !== null && header.width * header.height > workingPixels;
}

/** `failure`: of the decoding at its own size, which is not tried again. */
async function decodeExamined(bytes: Uint8Array, format: Format, failure?: unknown): Promise<Decoded> {
  let examined: Examined;
  try {
    examined = await examine(bytes, format);
  } catch (error) {
    return damaged(format, reasonOf(failure ?? error));
  }
  if (!fits(examined)) return refusalOf(examined);
  if (!examined.isIntegral) return unsupported(`a ${format} of other than 8 or 16 bits`, 'convert it to PNG');
  if (failure !== undefined && examined.shrink === 1) return damaged(format, reasonOf(failure));
  const decoder = examined.shrink === 1 ? exactly : shrunk(examined);
  try {
    const samples = await decodeBy(decoder, bytes, format);
    return { ok: true, samples, shrink: examined.shrink, size: uprightSize(examined) };
  } catch (error) {
    return damaged(format, reasonOf(error));
  }
}

function uprightSize({ width, height, orientation }: Examined): Size {
  return swapsSides(orientation) ? { width: height, height: width } : { width, height };
}

/** Why a picture that doesn't fit is refused. */
function refusalOf(examined: Examined): ImageProblem {
  return hasFewEnoughPixels(examined)
    ? tooMuchMemory(examined.kind, examined, examined.memory, maxDecodeBytes)
    : tooManyPixels(examined, maxPixels, maxSide);
}

/** Decodes in one way. @throws Error where it can't, or finds what `failOn` says */
type Decoder = (bytes: Uint8Array, failOn: FailOnOptions) => Promise<Samples>;

const exactly: Decoder = (bytes, failOn) =>
  samplesOf(sharp(bytes, { sequentialRead: true, limitInputPixels: workingPixels, failOn }).autoOrient());

/** sharp would turn a picture before it shrinks it, at its full size; so it is turned afterwards. */
function shrunk({ width, height, shrink, orientation }: Examined): Decoder {
  const size = {
    width: Math.max(1, Math.round(width / shrink)),
    height: Math.max(1, Math.round(height / shrink)),
  };
  return async (bytes, failOn) => {
    const picture = sharp(bytes, { sequentialRead: true, limitInputPixels: maxPixels, failOn });
    const samples = await samplesOf(picture.resize({ ...size, fit: 'fill', kernel: 'linear' }));
    return turnUpright(samples, orientation);
  };
}

async function samplesOf(picture: Sharp): Promise<Samples> {
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  return { values: data, width: info.width, height: info.height, channels: info.channels };
}

/** Strictly first, which is all that most files need; then, of a JPEG, whatever lacks no pixels. */
async function decodeBy(decoder: Decoder, bytes: Uint8Array, format: Format): Promise<Samples> {
  if (format !== 'JPEG') return decoder(bytes, 'warning');
  try {
    return await decoder(bytes, 'warning');
  } catch {
    try {
      return await decoder(tidyJpeg(bytes) ?? bytes, 'warning');
    } catch (error) {
      if (isLoss(messageOf(error), bytes)) throw error;
      return decoder(bytes, 'error'); // as it came: without an end marker added, a file that was cut off still fails
    }
  }
}

/** sharp's errors have no code; the last line of the message with words in it is the decoder's. */
function reasonOf(error: unknown): string {
  const lines = messageOf(error).trim().split('\n');
  return (lines.findLast((line) => /[a-z]{3}/i.test(line)) ?? lines[0]!).replace(/:$/, '');
}
