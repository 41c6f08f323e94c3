/** What can be wrong with a picture: its code, and a message that says what to do. */
import { pictureTypes } from './formats/signatures.ts';

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

type Size = { readonly width: number; readonly height: number };

export function emptyPicture(): ImageProblem {
  return problem('IMAGE_EMPTY', `expected a ${pictureTypes} image, got no bytes`);
}

/** `advice`: what to do about this type. */
export function unsupported(type: string, advice: string): ImageProblem {
  return problem('IMAGE_TYPE_UNSUPPORTED', `expected a ${pictureTypes} image, got ${type}; ${advice}`);
}

export function tooManyPixels({ width, height }: Size, maxPixels: number, maxSide: number): ImageProblem {
  const limit = `${maxPixels} pixels and sides of ${maxSide}`;
  return problem('IMAGE_TOO_LARGE', `expected at most ${limit}, got ${width}×${height}; scale it down`);
}

/** For pictures of a kind that can't be shrunk while they are decoded. `bytes`: of memory. */
export function tooMuchMemory(
  kind: string,
  { width, height }: Size,
  bytes: number,
  maxBytes: number,
): ImageProblem {
  return problem(
    'IMAGE_TOO_LARGE',
    `expected a picture that is decoded in ${megabytes(maxBytes)}, got ${kind} of ${width}×${height}, which takes ${megabytes(bytes)}; scale it down or send it as a baseline JPEG`,
  );
}

/** `reason`: what the decoder said. */
export function damaged(type: string, reason: string): ImageProblem {
  return problem(
    'IMAGE_NOT_DECODABLE',
    `expected a whole ${type}, got a damaged one: ${reason}; send it again`,
  );
}

export function noInk({ width, height }: Size): ImageProblem {
  return problem(
    'IMAGE_NO_INK',
    `expected ink that stands out from its background, got ${width}×${height} pixels of nearly one tone; draw it stronger`,
  );
}

export function notRead({ width, height }: Size, reason: string): ImageProblem {
  return problem(
    'IMAGE_NOT_READ',
    `expected to read ${width}×${height} pixels, met a fault of this program: ${reason}; please report it with the picture`,
  );
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}

function problem(code: ImageProblem['code'], message: string): ImageProblem {
  return { ok: false, code, message };
}
