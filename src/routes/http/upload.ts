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
import { startOfText } from '../../lib/start-of-text.ts';
import { printable } from '../../model/data/import/problem.ts';
import { arriveSlowly } from './client-error.ts';
import { codingOf } from './content-coding.ts';
import { HttpProblem } from './problem.ts';
import { cutShort, whenRestRefused } from './received-body.ts';

export type Received = { readonly bytes: number; readonly fileName: string | null };

/** What a file has to be. Each returns why it is refused, if so. */
export type FileRules = {
  /** Called with the number of bytes so far, and before with the number that is announced. */
  readonly limit: (bytes: number) => HttpProblem | null;
  /** Called once, with the first bytes: `headBytes` of them, or all where there are fewer. */
  readonly judge: (head: Buffer) => HttpProblem | null;
  readonly headBytes: number;
};

const formFrameBytes = 2 ** 20; // at most, that a form has around its file: an archive of just the limit is no more than it

/**
 * Writes the file to `path`, which must not exist, and makes it durable.
 *
 * @throws HttpProblem for a body that is cut short, empty, too large, encoded, of another type or a form without just one file;
 *   the file system's error
 */
export async function receiveFile(
  request: FastifyRequest,
  path: string,
  rules: FileRules,
): Promise<Received> {
  const { raw, headers } = request;
  if (codingOf(headers['content-encoding']) !== null) throw encoded(headers['content-encoding']!);
  const isForm = request.mediaType === 'multipart/form-data';
  const announced = Number(headers['content-length'] ?? 0);
  const refusal = rules.limit(isForm ? Math.max(0, announced - formFrameBytes) : announced);
  if (refusal) throw refusal;
  const arrived = arriveSlowly(raw.socket);
  try {
    const received = isForm ? await receiveForm(raw, path, rules) : await receiveBody(raw, path, rules);
    if (received.bytes === 0) throw empty();
    await makeDurable(path);
    return received;
  } finally {
    arrived();
  }
}

async function receiveBody(raw: IncomingMessage, path: string, rules: FileRules): Promise<Received> {
  return { bytes: await store(raw, path, rules, raw), fileName: null };
}

async function receiveForm(raw: IncomingMessage, path: string, rules: FileRules): Promise<Received> {
  const parser = new Busboy({
    headers: raw.headers as { 'content-type': string },
    isPartAFile: (field, _type, fileName) => fileName !== undefined || field === 'archive',
    limits: { parts: 100, fieldSize: 64 * 1024 },
  });
  let storing: Promise<Received> | null = null;
  let stored: Readable | null = null;
  parser.on('file', (field, stream, fileName: string | undefined) => {
    if (fileName === '') {
      stream.resume(); // as browsers send a field in which no file was chosen
    } else if (storing) {
      parser.destroy(secondFile(field, fileName));
    } else {
      stored = stream;
      storing = store(stream, path, rules, raw).then((bytes) => ({ bytes, fileName: fileName ?? null }));
      storing.catch((error: Error) => parser.destroy(error));
    }
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
async function store(
  source: Readable,
  path: string,
  { limit, judge, headBytes }: FileRules,
  raw: IncomingMessage,
): Promise<number> {
  let bytes = 0;
  let head: Buffer | null = Buffer.alloc(0); // null: judged
  const judgeHead = () => {
    const first = head;
    head = null;
    return first && first.length > 0 ? judge(first) : null;
  };
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (head) head = Buffer.concat([head, chunk.subarray(0, headBytes - head.length)]);
      done(limit(bytes) ?? (head?.length === headBytes ? judgeHead() : null), chunk);
    },
    flush: (done) => done(judgeHead()),
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
  const detail = `expected the archive as it is, got it in Content-Encoding ${startOfText(coding, 80)}; send it without, since archives are compressed already`;
  return new HttpProblem({ status: 415, code: 'CONTENT_ENCODING_UNSUPPORTED', detail });
}

function empty(): HttpProblem {
  const detail = 'expected a zip, a tar or a tar.gz as the body, or as the file of a form, got no bytes';
  return new HttpProblem({ status: 400, code: 'ARCHIVE_EMPTY', detail });
}

function secondFile(field: string, name: string | undefined): HttpProblem {
  const named = name === undefined ? '' : ` "${printable(name)}"`;
  const detail = `expected a form with one file, the archive, got a second one${named} in the field "${printable(field)}"; send each archive in a request of its own`;
  return new HttpProblem({ status: 400, code: 'FORM_SEVERAL_FILES', detail });
}

function formNotReadable(came: string): HttpProblem {
  const detail = `expected a whole multipart form with an archive as its file, got: ${came}`;
  return new HttpProblem({ status: 400, code: 'FORM_NOT_READABLE', detail });
}
