/**
 * Bounds what calls hold before grpc-js has a whole message of them: bytes count as they arrive, as over REST, a call must
 * arrive in time, and only so many calls may be arriving. grpc-js itself keeps up to the largest message for every call.
 */
import { EventEmitter } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { HttpProblem } from '../../http/problem.ts';
import { createReceived, pieceBytes } from '../../http/received-body.ts';
import { maxBodyBytes, received } from '../protocol-scope.ts';

const mostArriving = 1000; // calls of the server whose message is not whole; 100 a connection (grpc-server.ts)
const probeBytes = 16 * 1024; // of memory, for the message of a probe, which may come from anyone
const probesReceived = createReceived(8 * 1024 * 1024); // of all probes: they take no room from other calls
const prefixBytes = 5; // before each message: a flag that it is compressed, and its length (uint32, big-endian)
const inflation = 1032; // the most that DEFLATE shrinks data: https://zlib.net/zlib_tech.html

export type Arrival = {
  /** Tells that the message is decoded, with its length. Why it is refused; null: it is not. */
  decoded(bytes: number): HttpProblem | null;
};

type Call = {
  readonly stream: ServerHttp2Stream;
  readonly isProbe: boolean;
  /** Ends the call. What arrives afterwards is neither counted nor kept. */
  readonly refuse: (problem: HttpProblem) => void;
};

/**
 * Returns a function that watches a call whose message is about to be read, or says why it is refused.
 *
 * @param withinMs for the whole message
 */
export function createArrivals(withinMs: number): (call: Call) => Arrival | HttpProblem {
  let arriving = 0;
  return ({ stream, isProbe, refuse }) => {
    if (arriving === mostArriving) return tooMany();
    arriving++;
    const message = countMessage(stream, isProbe);
    const stop = once(() => {
      arriving--;
      clearTimeout(timer);
      stream.off('data', take);
    });
    const end = (problem: HttpProblem) => {
      stop();
      refuse(problem);
    };
    const timer = setTimeout(() => end(tooSlow(withinMs)), withinMs).unref();
    function take(piece: Buffer): void {
      const problem = message.take(piece);
      if (problem) end(problem);
    }
    stream.once('end', stop).once('close', stop);
    stream.prependListener('data', take); // before grpc-js, which has paused the stream until it reads the message
    return { decoded: (bytes) => message.decoded(bytes) };
  };
}

/** Counts the pieces of the one message of a call until its stream is closed: grpc-js keeps them as long. */
function countMessage(stream: ServerHttp2Stream, isProbe: boolean) {
  const all = isProbe ? probesReceived : received; // shared with the requests over REST
  const memory = all.open(stream);
  const inflating = new EventEmitter();
  const inflated = all.open(inflating);
  stream.once('close', () => inflating.emit('close'));
  const mine = createTakeUpTo(isProbe ? probeBytes : Number.POSITIVE_INFINITY);
  let prefix = Buffer.alloc(0);
  let total = 0; // bytes, with the prefix
  const isCompressed = () => prefix[0] === 1;
  const expectLength = (length: number): HttpProblem | null => {
    if (length > maxBodyBytes) return tooLarge(maxBodyBytes);
    if (!isCompressed() || inflated.take(Math.min(maxBodyBytes, inflation * length))) return null;
    return inflated.refusal();
  };
  return {
    /** Why a piece is refused; null: it is not. */
    take: (piece: Buffer): HttpProblem | null => {
      const isBegun = prefix.byteLength === prefixBytes;
      total += piece.byteLength;
      if (!mine(piece.byteLength)) return tooLarge(probeBytes);
      if (!memory.take(piece.byteLength)) return memory.refusal();
      if (!isBegun) prefix = Buffer.concat([prefix, piece.subarray(0, prefixBytes - prefix.byteLength)]);
      if (prefix.byteLength < prefixBytes) return null;
      const length = prefix.readUInt32BE(1);
      const problem = isBegun ? null : expectLength(length);
      return problem ?? (total > prefixBytes + length ? tooManyMessages() : null);
    },
    decoded: (bytes: number): HttpProblem | null => {
      inflating.emit('close');
      return !isCompressed() || memory.take(bytes) ? null : memory.refusal();
    },
  };
}

function createTakeUpTo(most: number): (bytes: number) => boolean {
  let taken = 0;
  return (bytes) => {
    taken += bytes + pieceBytes;
    return taken <= most;
  };
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}

function tooLarge(most: number): HttpProblem {
  const detail = `expected a message of at most ${most} bytes, got a larger one`;
  return new HttpProblem({ status: 413, code: 'BODY_TOO_LARGE', detail });
}

function tooManyMessages(): HttpProblem {
  const detail = 'expected one message in a call, got bytes after it';
  return new HttpProblem({ status: 400, code: 'BAD_REQUEST', detail });
}

function tooSlow(ms: number): HttpProblem {
  const detail = `expected the whole message within ${ms / 1000} s; send it again over a faster connection, or make it smaller`;
  return new HttpProblem({ status: 408, code: 'REQUEST_TIMEOUT', detail });
}

function tooMany(): HttpProblem {
  const detail = `expected messages of at most ${mostArriving} calls at a time, got more; try again in a second`;
  return new HttpProblem({ status: 503, code: 'OVERLOADED', detail, retryAfterSeconds: 1 });
}
