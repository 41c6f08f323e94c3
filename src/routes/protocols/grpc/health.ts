/** The standard health service (grpc.health.v1): as /v2/health/ready, the server serves when a model answers. */
import type { handleUnaryCall, ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { startOfText } from '../../../lib/start-of-text.ts';
import { HttpProblem } from '../../http/problem.ts';
import { type HealthRequest, healthName, inferenceName, type Received } from './messages.ts';
import { statusOf } from './status.ts';

const serving = 1;
const notServing = 2;
const serviceUnknown = 3; // of a service that may come
const lookEveryMs = 500;
const mostWatchers = 1000;
const known = ['', inferenceName, healthName];

type Answer = { readonly status: number };
type Watcher = ServerWritableStream<Received<HealthRequest>, Answer>;

export type Health = {
  readonly handlers: UntypedServiceImplementation;
  /** Tells those who watch that the server closes, and ends their calls. */
  close(): void;
};

export function createHealth(isReady: () => boolean): Health {
  const watchers = new Map<Watcher, () => void>(); // with what ends each
  let closing = false;
  const statusNow = () => (isReady() && !closing ? serving : notServing);

  const check: handleUnaryCall<Received<HealthRequest>, Answer> = ({ request }, callback) => {
    const wanted = serviceOf(request);
    if (wanted instanceof HttpProblem) return callback(statusOf(wanted));
    if (known.includes(wanted)) return callback(null, { status: statusNow() });
    callback(statusOf(unknownService(wanted)));
  };

  const watch = (call: Watcher): void => {
    const wanted = watchers.size < mostWatchers ? serviceOf(call.request) : tooMany();
    if (wanted instanceof HttpProblem) {
      call.emit('error', statusOf(wanted));
      return;
    }
    const isKnown = known.includes(wanted);
    let told: number | null = null;
    const tell = () => {
      const now = isKnown ? statusNow() : serviceUnknown;
      if (now !== told) call.write({ status: now });
      told = now;
    };
    tell();
    const timer = setInterval(tell, lookEveryMs).unref();
    watchers.set(call, tell);
    call.once('cancelled', () => {
      clearInterval(timer);
      watchers.delete(call);
    });
  };

  const close = () => {
    closing = true;
    for (const [call, tell] of watchers) {
      tell();
      call.end();
    }
  };
  return { handlers: { Check: check, Watch: watch }, close };
}

function serviceOf(request: Received<HealthRequest>): string | HttpProblem {
  return 'problem' in request ? request.problem : request.message.service;
}

function unknownService(service: string): HttpProblem {
  const names = known.filter((name) => name !== '').join(' or ');
  const detail = `expected ${names}, or none for the whole server, got ${startOfText(service, 80)}`;
  return new HttpProblem({ status: 404, code: 'SERVICE_UNKNOWN', detail });
}

function tooMany(): HttpProblem {
  const detail = `expected at most ${mostWatchers} calls that watch, got more; call Check`;
  return new HttpProblem({ status: 503, code: 'OVERLOADED', detail, retryAfterSeconds: 10 });
}
