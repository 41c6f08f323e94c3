/**
 * What happens to every call: a request id, who may call (before its message is read), bounds for what arrives, a metric and
 * a line in the log.
 */
import { constants, type ServerHttp2Stream } from 'node:http2';
import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from '@grpc/grpc-js';
import type { FastifyBaseLogger } from 'fastify';
import { HttpProblem } from '../../http/problem.ts';
import { requestIdOf } from '../../http/request-log.ts';
import type { Metrics } from '../../metrics.ts';
import type { Refuse } from './access.ts';
import { type Arrival, createArrivals } from './arrival.ts';
import type { Received } from './messages.ts';
import { repairedStatus, statusOf } from './status.ts';

type Supervision = {
  readonly refuse: Refuse;
  readonly anonymous: ReadonlySet<string>; // paths that need no key and do not count for the rate limit
  readonly streams: ReadonlySet<string>; // paths whose calls last as long as the client likes: they have no metric
  readonly metrics: Metrics;
  readonly log: FastifyBaseLogger;
  readonly messageMs: number; // for a message to arrive, and for an answer to be taken
};

const idHeader = 'x-request-id';

export function superviseCalls(supervision: Supervision): ServerInterceptor {
  const { refuse, anonymous, streams, metrics, log, messageMs } = supervision;
  const watchArrival = createArrivals(messageMs);
  return ({ path }, call) => {
    const isProbe = anonymous.has(path);
    const inner = call as InnerCall;
    const end = createEnd(path, streams.has(path) ? null : metrics, isProbe ? null : log);
    watchStatus(inner, messageMs, (code) => end.with(code));
    const refuseWith = (problem: HttpProblem) => call.sendStatus(statusOf(problem));
    let arrival: Arrival;
    const listener = (pass: ServerListenerBuilder) =>
      pass
        .withOnReceiveMetadata((metadata, next) => {
          end.named(nameCall(call, metadata));
          const caller = { metadata, host: call.getHost(), peer: call.getPeer() };
          const problem = isProbe ? null : refuse(caller);
          const admitted = problem ?? watchArrival({ stream: inner.stream, isProbe, refuse: refuseWith });
          if (admitted instanceof HttpProblem) return refuseWith(admitted);
          arrival = admitted;
          next(metadata);
        })
        .withOnReceiveMessage((message: Received<unknown>, next) => {
          const bytes = 'bytes' in message ? message.bytes : 0;
          const problem = arrival.decoded(bytes);
          if (problem) refuseWith(problem);
          else next(message);
        })
        .withOnCancel(() => end.with(endingOf(call)))
        .build();
    return new ServerInterceptingCall(call, { start: (next) => next(listener(new ServerListenerBuilder())) });
  };
}

/** What grpc-js tells of a call to nobody, though no bound holds without it: before a message is whole, there is no other way to see it. */
type InnerCall = ServerInterceptingCallInterface & {
  readonly stream: ServerHttp2Stream;
  cancelled: boolean; // what arrives is dropped
};

/**
 * Sees every status of a call, also those that grpc-js sends itself, and sends the first only. A client that then neither
 * takes the answer nor ends what it sends is left after a while.
 */
function watchStatus(call: InnerCall, withinMs: number, onEnd: (code: status) => void): void {
  const send = call.sendStatus.bind(call);
  let isSent = false;
  call.sendStatus = (given) => {
    if (isSent) return;
    isSent = true;
    const sent = repairedStatus(given);
    onEnd(sent.code ?? status.UNKNOWN);
    send(sent);
    call.cancelled = true; // by itself, grpc-js goes on to decode messages until the status is on its way
    const timer = setTimeout(() => call.stream.close(constants.NGHTTP2_CANCEL), withinMs).unref();
    call.stream.once('close', () => clearTimeout(timer));
  };
}

/** Tells the client the id of its request: its own if that is harmless, else a new one. */
function nameCall(call: ServerInterceptingCallInterface, metadata: Metadata): string {
  const [given] = metadata.get(idHeader);
  const id = requestIdOf({ headers: typeof given === 'string' ? { [idHeader]: given } : {} });
  metadata.set(idHeader, id); // for the handler
  const answered = new Metadata();
  answered.set(idHeader, id);
  call.sendMetadata(answered);
  return id;
}

/** A call that nobody waits for any more: its time is up, or the client has left. */
function endingOf(call: ServerInterceptingCallInterface): status {
  const deadline = Number(call.getDeadline()); // ms since 1970, or Infinity
  return Date.now() >= deadline ? status.DEADLINE_EXCEEDED : status.CANCELLED;
}

/** Counts and logs the end of a call, once. */
function createEnd(path: string, metrics: Metrics | null, log: FastifyBaseLogger | null) {
  const began = performance.now();
  let requestId = '';
  let ended = false;
  return {
    named: (id: string) => {
      requestId = id;
    },
    with: (code: status) => {
      if (ended) return;
      ended = true;
      const ms = performance.now() - began;
      metrics?.calls.observe(
        { method: path.slice(path.lastIndexOf('/') + 1), status: status[code] },
        ms / 1000,
      );
      const line = {
        method: 'GRPC',
        route: path,
        status: status[code],
        ms: Math.round(ms * 100) / 100,
        requestId,
      };
      log?.info(line, 'answered');
    },
  };
}
