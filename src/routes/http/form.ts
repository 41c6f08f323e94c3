/** Reads the pictures in a form (multipart/form-data, RFC 7578) and refuses large forms with 413. */
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Busboy } from '@fastify/busboy';
import type { FastifyRequest } from 'fastify';
import { messageOf } from '../../lib/errors.ts';
import { limited, maxImages, maxImagesBytes, tooLarge } from './image-limits.ts';
import { HttpProblem } from './problem.ts';
import { type Received, receive } from './received-body.ts';

const maxTexts = 100;
const maxTextBytes = 1024 * 1024; // all texts of a form together
const maxFormBytes = maxImagesBytes + 2 * maxTextBytes; // images, texts and the headers of their parts

type Part = {
  readonly filename: string | undefined;
  readonly type: string; // in lower case; "text/plain" when the part has none
  readonly chunks: Buffer[];
};

/**
 * Returns the files of a form in order, whatever the names of their fields. Ignores text fields.
 *
 * @throws HttpProblem 400 for a form that can't be read or has no file, 413 for one that is too large, and what `receive` throws
 */
export async function readForm(
  request: FastifyRequest,
  payload: Readable,
  received: Received | null,
): Promise<Buffer[]> {
  try {
    const form = openForm(request.headers['content-type']!);
    await receive(request, payload, received, maxFormBytes, form.write);
    return imagesOf(await form.end());
  } catch (error) {
    throw toRefusal(error);
  }
}

/** Parses every part as a file: parsed as text, a picture without a file name would be garbled. */
function openForm(contentType: string) {
  const parts: Part[] = [];
  const parser = new Busboy({
    headers: { 'content-type': contentType },
    isPartAFile: () => true,
    limits: { parts: maxImages + maxTexts },
  });
  const fail = (error: Error) => void parser.destroy(error);
  parser.on('partsLimit', () => fail(tooManyParts()));
  parser.on('file', (_field, stream, filename: string | undefined, _encoding, type) => {
    const part: Part = { filename, type, chunks: [] };
    parts.push(part);
    stream.on('data', (chunk: Buffer) => part.chunks.push(chunk)).on('error', fail);
  });
  const parsed = finished(parser);
  parsed.catch(() => {}); // reported by `write` or `end`
  return {
    write: (chunk: Buffer) => {
      if (parser.errored) throw parser.errored;
      parser.write(chunk);
    },
    end: async () => {
      parser.end();
      await parsed;
      return parts;
    },
  };
}

function imagesOf(parts: readonly Part[]): Buffer[] {
  const images = parts.filter(isFile);
  if (images.length === 0) throw formNotReadable('no file in it');
  if (images.length > maxImages) throw tooManyImages();
  if (sizeOf(images) > maxImagesBytes) throw tooLarge('the images of one form', maxImagesBytes);
  if (sizeOf(parts) - sizeOf(images) > maxTextBytes) throw tooMuchText();
  return images.map(({ chunks }) => limited(Buffer.concat(chunks)));
}

/**
 * Whether a part is a file: it has a file name, or it is binary, since some clients send pictures without a name. For an
 * empty file input browsers send an empty part.
 */
function isFile(part: Part): boolean {
  if (part.filename) return true;
  if (sizeOf([part]) === 0) return false;
  return part.filename === '' || isBinary(part);
}

/** Tells a file by its type, or by a NUL byte, which every picture has near its beginning and text never has. */
function isBinary({ type, chunks }: Part): boolean {
  const declared = type.startsWith('image/') || type === 'application/octet-stream';
  return declared || chunks.some((chunk) => chunk.includes(0));
}

function sizeOf(parts: readonly Part[]): number {
  return parts.flatMap(({ chunks }) => chunks).reduce((total, { byteLength }) => total + byteLength, 0);
}

/** Any error besides our own refusals and Fastify's means a malformed or incomplete form. */
function toRefusal(error: unknown): unknown {
  if (error instanceof HttpProblem) return error;
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'FST_ERR_CTP_BODY_TOO_LARGE'
    ? tooLarge('a form', maxFormBytes)
    : formNotReadable(messageOf(error));
}

function formNotReadable(came: string): HttpProblem {
  const detail = `expected a whole multipart form with one picture or more as files, got: ${came}`;
  return new HttpProblem({ status: 400, code: 'FORM_NOT_READABLE', detail });
}

function tooManyImages(): HttpProblem {
  const detail = `expected at most ${maxImages} images, got more; send them in several requests`;
  return new HttpProblem({ status: 413, code: 'TOO_MANY_IMAGES', detail });
}

function tooManyParts(): HttpProblem {
  const detail = `expected a form of at most ${maxImages} images and ${maxTexts} other fields, got more; send the images alone`;
  return new HttpProblem({ status: 413, code: 'FORM_TOO_LARGE', detail });
}

function tooMuchText(): HttpProblem {
  const detail = `expected at most ${maxTextBytes} bytes of text besides the images of a form, got more; send the images alone`;
  return new HttpProblem({ status: 413, code: 'FORM_TOO_LARGE', detail });
}
