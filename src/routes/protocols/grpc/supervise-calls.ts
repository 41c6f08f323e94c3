/** What happens to every call: a request id, who may call (before its message is read), a metric and a line in the log. */
import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from '@grpc/grpc-js';
import type { FastifyBaseLogger } from 'fastify';
import { requestIdOf } from '../../http/request-log.ts';
import type { Metrics } from '../../metrics.ts';
import type { Refuse } from './access.ts';
import { statusOf } from './status.ts';

type Supervision = {
  readonly refuse: Refuse;
  readonly anonymous: ReadonlySet<string>; // paths that need no key and do not count for the rate limit
  readonly streams: ReadonlySet<string>; // paths whose calls last as long as the client likes: they have no metric
  readonly metrics: Metrics;
  readonly log: FastifyBaseLogger;
};

const idHeader = 'x-request-id';

export function superviseCalls({ refuse, anonymous, streams, metrics, log }: Supervision): ServerInterceptor {
  return ({ path }, call) => {
    const end = createEnd(path, streams.has(path) ? null : metrics, anonymous.has(path) ? null : log);
    const listener = (pass: ServerListenerBuilder) =>
      pass
        .withOnReceiveMetadata((metadata, next) => {
          end.named(nameCall(call, metadata));
          const caller = { metadata, host: call.getHost(), peer: call.getPeer() };
          const problem = anonymous.has(path) ? null : refuse(caller);
          if (problem === null) return next(metadata);
          const refusal = statusOf(problem);
          end.with(refusal.code);
          call.sendStatus(refusal);
        })
        .withOnCancel(() => end.with(endingOf(call)))
        .build();
    return new ServerInterceptingCall(call, {
      start: (next) => next(listener(new ServerListenerBuilder())),
      sendStatus: (sent, next) => {
        end.with(sent.code ?? status.UNKNOWN);
        next(sent);
      },
    });
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
