/** Content codings of request bodies (RFC 9110, section 8.4.1): which are accepted, and how they are decoded. */
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { messageOf } from '../../lib/errors.ts';
import { startOfText } from '../../lib/start-of-text.ts';
import { HttpProblem } from './problem.ts';

const accepted = 'gzip, deflate, br';

const decoders = new Map<string, (encoded: Buffer) => Transform>([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()], // the same, section 8.4.1.3
  ['deflate', (encoded) => (isZlib(encoded) ? createInflate() : createInflateRaw())],
  ['br', () => createBrotliDecompress()],
]);

/**
 * The coding that a Content-Encoding header names; null when it names none.
 *
 * @throws HttpProblem 415 for an unknown coding, and for several: compressing twice only serves zip bombs
 */
export function codingOf(contentEncoding: string | undefined): string | null {
  if (contentEncoding === undefined) return null;
  const names = contentEncoding.toLowerCase().split(',');
  const codings = names.map((name) => name.trim()).filter((name) => name !== '' && name !== 'identity');
  const [coding] = codings;
  if (coding === undefined) return null;
  if (codings.length > 1 || !decoders.has(coding)) throw codingUnsupported(contentEncoding);
  return coding;
}

/**
 * Decodes only as far as the caller reads.
 *
 * @throws HttpProblem 400 when `encoded` is damaged or cut off
 */
export async function* decode(coding: string, encoded: Buffer): AsyncGenerator<Buffer> {
  if (encoded.byteLength === 0) return; // clients may name a coding even for an empty body
  const endTurn = await takeTurn();
  try {
    yield* decoders.get(coding)!(encoded).end(encoded) as AsyncIterable<Buffer>;
  } catch (error) {
    throw encodedBadly(coding, error);
  } finally {
    endTurn();
  }
}

let lastTurn: Promise<void> = Promise.resolve();

/** One decoder works at a time: 51 bytes of brotli are enough to make one allocate a window of 16 MiB. */
async function takeTurn(): Promise<() => void> {
  const before = lastTurn;
  let endTurn!: () => void;
  lastTurn = new Promise((resolve) => {
    endTurn = resolve;
  });
  await before;
  return endTurn;
}

/** "deflate" is the zlib format (section 8.4.1.2), but some clients send deflate data without the zlib header. */
function isZlib([first = 0]: Buffer): boolean {
  return (first & 0x0f) === 8; // the compression method in a zlib header (RFC 1950, section 2.2)
}

/** Accept-Encoding lists the accepted codings (RFC 9110, section 15.5.16). */
function codingUnsupported(contentEncoding: string): HttpProblem {
  const detail = `expected one content coding, ${accepted}, or none, in Content-Encoding, got ${startOfText(contentEncoding, 80)}; send the body uncompressed`;
  const headers = { 'accept-encoding': accepted };
  return new HttpProblem({ status: 415, code: 'CONTENT_ENCODING_UNSUPPORTED', detail, headers });
}

function encodedBadly(coding: string, error: unknown): HttpProblem {
  const detail = `expected a whole body in ${coding}, as its Content-Encoding says, got: ${messageOf(error)}; compress it again, or send it uncompressed`;
  return new HttpProblem({ status: 400, code: 'CONTENT_ENCODING_INVALID', detail });
}
