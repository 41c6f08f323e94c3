/**
 * Reads request bodies, and bounds the memory that all of them together take up until they are answered. Bytes count when
 * they arrive, not when they are announced, so that a slow upload reserves no memory that it doesn't use.
 */
import type { Readable } from 'node:stream';
import { errorCodes, type FastifyRequest } from 'fastify';
import { codingOf, decode } from './content-coding.ts';
import { HttpProblem } from './problem.ts';

const maxReceivedBytes = 128 * 1024 * 1024;
export const pieceBytes = 400; // of memory for each piece of a body, besides its content

/** The bytes of one request. */
export type Received = {
  /** Counts a piece. False if there is no room for it. */
  take(bytes: number): boolean;
  refusal(): HttpProblem;
};

/** What emits `close` at the end of a request, such as a response. */
type Ending = { once(event: 'close', listener: () => void): unknown };

/** Counts the bytes of all requests of a route; `open` begins a request's count, which ends with the response. */
export function createReceived(
  limit = maxReceivedBytes,
  perPiece = pieceBytes,
): { open(response: Ending): Received } {
  let total = 0;
  return {
    open: (response) => {
      let mine = 0;
      let ended = false;
      response.once('close', () => {
        ended = true;
        total -= mine;
      });
      return {
        take: (bytes) => {
          const taken = bytes + perPiece;
          if (total + taken > limit) return false;
          if (ended) return true; // the response was closed and its count given back
          mine += taken;
          total += taken;
          return true;
        },
        refusal: () => {
          const detail = `expected no more than ${limit} bytes in all requests under way, got more; try again in a second`;
          return new HttpProblem({ status: 503, code: 'OVERLOADED', detail, retryAfterSeconds: 1 });
        },
      };
    },
  };
}

type Sink = (chunk: Buffer) => void;

/**
 * Reads and decodes a whole body.
 *
 * @throws what `receive` throws
 */
export async function readWhole(
  request: FastifyRequest,
  payload: Readable,
  received: Received | null,
  limit: number,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await receive(request, payload, received, limit, (chunk) => void chunks.push(chunk));
  return Buffer.concat(chunks);
}

/**
 * Decodes a body and passes it to `sink` in chunks. `received` counts the bytes that arrive and, for a compressed body,
 * also the inflated ones. `sink` may throw to refuse the rest.
 *
 * @throws HttpProblem 503 if there is no room for the body, 400 if it ends early or can't be decoded, 415 for an unknown
 *   content coding; FST_ERR_CTP_BODY_TOO_LARGE past `limit` bytes, compressed or inflated
 */
export async function receive(
  { headers }: FastifyRequest,
  payload: Readable,
  received: Received | null,
  limit: number,
  sink: Sink,
): Promise<void> {
  const coding = codingOf(headers['content-encoding']);
  if (Number(headers['content-length']) > limit) {
    payload.resume();
    throw new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE();
  }
  if (coding === null) return readToEnd(payload, bounded(sink, received, limit));
  const encoded: Buffer[] = [];
  await readToEnd(
    payload,
    bounded((chunk) => void encoded.push(chunk), received, limit),
  );
  const take = bounded(sink, received, limit);
  for await (const chunk of decode(coding, Buffer.concat(encoded))) take(chunk);
}

/** Wraps `sink`: counts and limits its bytes. */
function bounded(sink: Sink, received: Received | null, limit: number): Sink {
  let length = 0;
  return (chunk) => {
    length += chunk.byteLength;
    if (length > limit) throw new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE();
    if (received?.take(chunk.byteLength) === false) throw received.refusal();
    sink(chunk);
  };
}

const restRefused = Symbol('restRefused');

/** Makes `receive` reject with `problem` where it still reads `payload`, as when the server closes. */
export function refuseRest(payload: Readable, problem: HttpProblem): void {
  payload.emit(restRefused, problem);
}

/** For who reads `payload` otherwise: `refuse` is called as `receive` would be made to reject. */
export function whenRestRefused(payload: Readable, refuse: (problem: HttpProblem) => void): void {
  payload.on(restRefused, refuse);
}

/** After a refusal, reads and discards the rest: a client that only sends would never see the answer otherwise. */
function readToEnd(payload: Readable, sink: Sink): Promise<void> {
  return new Promise((resolve, reject) => {
    let length = 0;
    const refuse = (problem: unknown) => {
      payload.off('data', take).resume();
      reject(problem);
    };
    function take(chunk: Buffer): void {
      length += chunk.byteLength;
      try {
        sink(chunk);
      } catch (problem) {
        refuse(problem);
      }
    }
    const endEarly = () => reject(cutShort(length));
    if (payload.destroyed) return endEarly(); // it emits nothing any more
    payload.on('error', endEarly).on('close', endEarly); // "close" also follows "end"
    payload.on(restRefused, refuse);
    payload.on('end', resolve);
    payload.on('data', take);
  });
}

export function cutShort(length: number): HttpProblem {
  const detail = `expected a whole body, the connection ended after ${length} bytes of it; send it again`;
  return new HttpProblem({ status: 400, code: 'BODY_CUT_SHORT', detail });
}
