/**
 * Bounds what all bodies together take up, from their first byte to the end of their answer. Counted as it arrives
 * and not as it is declared, so that slow uploads hold no room they don't use.
 */
import type { ServerResponse } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { HttpProblem } from './problem.ts';

const maxReceivedBytes = 128 * 1024 * 1024;

/** The account of one request. */
export type Received = {
  /** False when there is no room for so many bytes more. */
  take(bytes: number): boolean;
  refusal(): HttpProblem;
};

/** One for all requests of a route; `open` gives a request its account, which ends with the response. */
export function createReceived(limit = maxReceivedBytes): { open(response: ServerResponse): Received } {
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
          if (total + bytes > limit) return false;
          if (ended) return true; // nobody is left to be counted
          mine += bytes;
          total += bytes;
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
 * The same stream, ended by a refusal when there is no room for it. After the response, what still comes is read to
 * nowhere: a client that sends on without reading would otherwise never see the answer.
 */
export function countReceived(payload: Readable, received: Received, response: ServerResponse): Readable {
  const counted = new Transform({
    transform: (chunk: Buffer, _encoding, done) =>
      received.take(chunk.byteLength) ? done(null, chunk) : done(received.refusal()),
  });
  counted.on('error', () => {}); // once the answer is there, nobody else listens, and a client may still go away
  response.once('finish', () => {
    payload.unpipe(counted);
    payload.resume();
  });
  return payload.on('error', (error) => counted.destroy(error)).pipe(counted);
}
