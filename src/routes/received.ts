/**
 * Bounds what all bodies together take up, from their first byte to the end of their answer. Counted as it arrives
 * and not as it is declared, so that slow uploads hold no room they don't use.
 */
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { errorCodes, type FastifyRequest } from 'fastify';
import { HttpProblem } from './problem.ts';

const maxReceivedBytes = 128 * 1024 * 1024;
const pieceBytes = 400; // of memory that each piece of a body takes up besides its content

/** The account of one request. */
export type Received = {
  /** False when there is no room for a piece of so many bytes more. */
  take(bytes: number): boolean;
  refusal(): HttpProblem;
};

/** One for all requests of a route; `open` gives a request its account, which ends with the response. */
export function createReceived(
  limit = maxReceivedBytes,
  perPiece = pieceBytes,
): { open(response: ServerResponse): Received } {
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
          if (ended) return true; // nobody is left to be counted
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

/**
 * Reads a body to its end, each byte counted as it arrives. After a refusal, what still comes is read to nowhere: a
 * client that sends on without reading would otherwise never see the answer.
 *
 * @throws HttpProblem 503 when there is no room for it, 400 when it ends early; FST_ERR_CTP_BODY_TOO_LARGE past `limit` bytes
 */
export function readWhole({ headers }: FastifyRequest, payload: Readable, received: Received, limit: number) {
  return new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const refuse = (problem: Error) => {
      payload.off('data', take).resume();
      reject(problem);
    };
    const take = (chunk: Buffer) => {
      length += chunk.byteLength;
      if (length > limit) return refuse(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
      if (!received.take(chunk.byteLength)) return refuse(received.refusal());
      chunks.push(chunk);
    };
    payload.on('error', () => reject(cutShort(length)));
    payload.on('end', () => resolve(Buffer.concat(chunks)));
    if (Number(headers['content-length']) > limit) refuse(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
    else payload.on('data', take);
  });
}

function cutShort(length: number): HttpProblem {
  const detail = `expected a whole body, the connection ended after ${length} bytes of it; send it again`;
  return new HttpProblem({ status: 400, code: 'BODY_CUT_SHORT', detail });
}
