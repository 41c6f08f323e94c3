/** Receives one large file, as the body or as a file of a form, straight to disk. */
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { Busboy } from '@fastify/busboy';
import type { FastifyRequest } from 'fastify';
import { messageOf } from '../../lib/errors.ts';
import { isCode, isSystemError } from '../../lib/files.ts';
import { arriveSlowly } from './client-error.ts';
import { codingOf } from './content-coding.ts';
import { HttpProblem } from './problem.ts';
import { cutShort, whenRestRefused } from './received-body.ts';

export type Received = { readonly bytes: number; readonly fileName: string | null };

/** Called with the bytes so far. Returns why there may not be so many, if so. */
export type Limit = (bytes: number) => HttpProblem | null;

/**
 * Writes the file to `path`, which must not exist, and makes it durable.
 *
 * @throws HttpProblem for a body that is cut short, empty, too large, encoded or a form without a file; the file system's error
 */
export async function receiveFile(request: FastifyRequest, path: string, limit: Limit): Promise<Received> {
  const { raw, headers } = request;
  if (codingOf(headers['content-encoding']) !== null) throw encoded(headers['content-encoding']!);
  const refusal = limit(Number(headers['content-length'] ?? 0));
  if (refusal) throw refusal;
  const arrived = arriveSlowly(raw.socket);
  try {
    const isForm = request.mediaType === 'multipart/form-data';
    const received = isForm ? await receiveForm(raw, path, limit) : await receiveBody(raw, path, limit);
    if (received.bytes === 0) throw empty();
    await makeDurable(path);
    return received;
  } finally {
    arrived();
  }
}

async function receiveBody(raw: IncomingMessage, path: string, limit: Limit): Promise<Received> {
  return { bytes: await store(raw, path, limit, raw), fileName: null };
}

async function receiveForm(raw: IncomingMessage, path: string, limit: Limit): Promise<Received> {
  const parser = new Busboy({
    headers: raw.headers as { 'content-type': string },
    isPartAFile: (field, _type, fileName) => fileName !== undefined || field === 'archive',
    limits: { parts: 100, fieldSize: 64 * 1024 },
  });
  let storing: Promise<Received> | null = null;
  let stored: Readable | null = null;
  parser.on('file', (field, stream, fileName: string | undefined) => {
    if (storing || (fileName === undefined && field !== 'archive')) {
      stream.resume();
      return;
    }
    stored = stream;
    storing = store(stream, path, limit, raw).then((bytes) => ({ bytes, fileName: fileName ?? null }));
    storing.catch((error: Error) => parser.destroy(error));
  });
  try {
    whenRestRefused(raw, (problem) => parser.destroy(problem));
    await Promise.all([pipeline(raw, parser), finished(parser)]);
  } catch (error) {
    (stored as Readable | null)?.destroy(error as Error); // the parser leaves it open, and with it the file
    await (storing as Promise<Received> | null)?.catch(() => {});
    throw refusalOf(error, raw);
  }
  if (!storing) throw formNotReadable('no file in it');
  return storing;
}

/** Returns how many bytes there were. `raw`: the request that they come with. */
async function store(source: Readable, path: string, limit: Limit, raw: IncomingMessage): Promise<number> {
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(limit(bytes), chunk);
    },
  });
  whenRestRefused(raw, (problem) => count.destroy(problem));
  try {
    await pipeline(source, count, createWriteStream(path, { flags: 'wx' }), { end: true });
  } catch (error) {
    throw refusalOf(error, raw, bytes);
  }
  return bytes;
}

function refusalOf(error: unknown, raw: IncomingMessage, bytes = 0): unknown {
  if (error instanceof HttpProblem) return error;
  if (isCode(error, 'ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET') || raw.errored) return cutShort(bytes);
  return isSystemError(error) ? error : formNotReadable(messageOf(error));
}

async function makeDurable(path: string): Promise<void> {
  const file = await open(path);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function encoded(coding: string): HttpProblem {
  const detail = `expected the archive as it is, got it in Content-Encoding ${coding.slice(0, 80)}; send it without, since archives are compressed already`;
  return new HttpProblem({ status: 415, code: 'CONTENT_ENCODING_UNSUPPORTED', detail });
}

function empty(): HttpProblem {
  const detail = 'expected a zip, a tar or a tar.gz as the body, or as the file of a form, got no bytes';
  return new HttpProblem({ status: 400, code: 'ARCHIVE_EMPTY', detail });
}

function formNotReadable(came: string): HttpProblem {
  const detail = `expected a whole multipart form with an archive as its file, got: ${came}`;
  return new HttpProblem({ status: 400, code: 'FORM_NOT_READABLE', detail });
}
