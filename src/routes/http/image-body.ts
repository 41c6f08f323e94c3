/** Reads the images in a body: the body itself, the files of a form, or base64 in JSON. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { pictureMediaTypes, pictureTypes } from '../../model/image/formats/signatures.ts';
import { parseJson } from './bodies.ts';
import { readForm } from './form.ts';
import { limited, maxImageBytes } from './image-limits.ts';
import { HttpProblem, invalidProblem } from './problem.ts';
import { type Received, readWhole } from './received-body.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The account of the memory that its body takes up. */
    received: Received | null;
  }
}

export const maxBase64Bytes = Math.ceil(maxImageBytes * 1.37) + 1024; // 4/3 for base64, and the JSON around it

/**
 * Registers parsers that turn every body into a `Buffer[]`. The Content-Type only tells forms and JSON from other bodies.
 * For other bodies, and for a picture that is declared as JSON, the bytes decide.
 */
export function registerImageParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  // "*" alone would cover them all, but Fastify looks its parser up anew for each request.
  app.addContentTypeParser(
    [...pictureMediaTypes, 'application/octet-stream', '*'],
    async (request: FastifyRequest, payload: IncomingMessage) => [limited(await read(request, payload))],
  );
  app.addContentTypeParser('application/json', async (request: FastifyRequest, payload: IncomingMessage) => {
    const body = await read(request, payload);
    if (!isUtf8(body)) return [limited(body)]; // JSON is always UTF-8 (RFC 8259, 8.1)
    return [limited(decodeJson(parseJson(body)))];
  });
  app.addContentTypeParser('multipart/form-data', async (request: FastifyRequest, payload: IncomingMessage) =>
    readForm(request, payload, request.received),
  );
}

function read(request: FastifyRequest, payload: IncomingMessage): Promise<Buffer> {
  return readWhole(request, payload, request.received, maxBase64Bytes);
}

const expectation = `expected {"image": "<base64 of a ${pictureTypes}>"}`;

/** A picture as base64 in JSON, in any of the forms that `decodeBase64` takes. */
export const base64Image = z.string({ error: expectation }).transform((text, context) => {
  const image = decodeBase64(text);
  if (image === null) context.addIssue({ code: 'custom', message: expectation });
  return image ?? z.NEVER;
});
const jsonBodySchema = z.strictObject({ image: base64Image });

function decodeJson(body: unknown): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  const { data, error } = jsonBodySchema.safeParse(body);
  if (error) throw new HttpProblem(invalidProblem('body', error.issues, jsonBodySchema, body));
  return data.image;
}

/** The part of a data URL before the base64 (RFC 2397); its type may have parameters or be missing. */
const dataUrlHead = /^data:.{0,1000}?;base64,/i;

/**
 * Decodes base64 in either alphabet (RFC 4648, sections 4 and 5), padded or not, also in a data URL, whose characters may
 * be percent-encoded. Null for anything else.
 */
export function decodeBase64(text: string): Buffer | null {
  const data = decodePercents(text.replaceAll(/\s/g, '').replace(dataUrlHead, ''));
  const digits = data.replace(/={1,2}$/, '');
  const isBase64 = /^[\w+/-]*$/.test(digits) && digits.length % 4 !== 1;
  return isBase64 ? Buffer.from(digits, 'base64') : null;
}

function decodePercents(text: string): string {
  try {
    return text.includes('%') ? decodeURIComponent(text).replaceAll(/\s/g, '') : text;
  } catch {
    return text; // no base64, because of its "%"
  }
}
