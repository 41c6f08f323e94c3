/** Decides who may call, and how often, by the rules of src/routes/http/guard.ts. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { compile } from '@fastify/proxy-addr';
import type { Metadata } from '@grpc/grpc-js';
import { isLoopback } from '../../../lib/loopback.ts';
import { startOfText } from '../../../lib/start-of-text.ts';
import type { Access } from '../../http/guard.ts';
import { HttpProblem } from '../../http/problem.ts';
import { forwardingNames, type TrustProxy } from '../../http/proxies.ts';

export type Caller = {
  readonly metadata: Metadata;
  readonly host: string; // the authority that was asked for
  readonly peer: string; // address and port
};

/** Why a call is refused; null: it is not. */
export type Refuse = (caller: Caller) => HttpProblem | null;

const windowMs = 60_000;

export function createRefuse({ apiKeys, allowAnonymous, trustProxy, requestsPerMinute }: Access): Refuse {
  const digests = apiKeys.map(digestOf);
  const addressOf = createAddressOf(trustProxy);
  const count = requestsPerMinute === null ? null : createCount(requestsPerMinute);
  return (caller) => {
    const key = keyOf(caller.metadata);
    if (digests.length > 0) {
      if (!isOneOf(digests, key)) return unauthenticated(key);
    } else if (!allowAnonymous && !isLocal(caller)) return notLocal(caller);
    return count?.(digests.length > 0 ? key! : addressOf(caller)) ?? null;
  };
}

/** From `authorization: Bearer KEY` or `x-api-key`. */
function keyOf(metadata: Metadata): string | null {
  const [, bearer] = /^bearer +(\S+) *$/i.exec(textOf(metadata, 'authorization') ?? '') ?? [];
  return bearer ?? textOf(metadata, 'x-api-key');
}

function textOf(metadata: Metadata, name: string): string | null {
  const [value] = metadata.get(name);
  return typeof value === 'string' ? value : null;
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** Takes as long for any key. */
function isOneOf(digests: readonly Buffer[], key: string | null): boolean {
  const digest = digestOf(key ?? '');
  return digests.filter((each) => timingSafeEqual(each, digest)).length > 0;
}

function unauthenticated(key: string | null): HttpProblem {
  const came = key === null ? 'none' : 'a key that is not one of them';
  const detail = `expected the metadata "authorization: Bearer KEY" or "x-api-key: KEY" with a key of API_KEY, got ${came}`;
  return new HttpProblem({ status: 401, code: 'UNAUTHORIZED', detail });
}

/** Whether a program of this machine calls, through no proxy. */
function isLocal({ metadata, host }: Caller): boolean {
  const isForwarded = forwardingNames(Object.keys(metadata.getMap())).length > 0;
  return !isForwarded && isLoopback(host.replace(/:\d+$/, ''));
}

function notLocal({ host }: Caller): HttpProblem {
  const detail = `expected a call to a loopback address, through no proxy, got one to ${startOfText(host, 80)}; set API_KEY, or ALLOW_ANONYMOUS=true, to answer others`;
  return new HttpProblem({ status: 403, code: 'OTHER_SITE', detail });
}

/** Finds the address of a client as Fastify does: the last entry of X-Forwarded-For that no trusted proxy has. */
function createAddressOf(trustProxy: TrustProxy): (caller: Caller) => string {
  const isTrusted = Array.isArray(trustProxy) ? compile([...trustProxy]) : () => trustProxy;
  return ({ metadata, peer }) => {
    const forwarded = metadata
      .get('x-forwarded-for')
      .join(',')
      .split(',')
      .map((entry) => entry.trim());
    const way = [peer.replace(/:\d+$/, ''), ...forwarded.filter((entry) => entry !== '').toReversed()];
    const client = way.findIndex((address, hops) => !isTrusted(address, hops));
    return client === -1 ? way.at(-1)! : way[client]!;
  };
}

/** Counts the calls of each key or address, a minute at a time. */
function createCount(most: number): (who: string) => HttpProblem | null {
  let counts = new Map<string, number>();
  let endsAt = 0; // performance.now()
  return (who) => {
    const now = performance.now();
    if (now >= endsAt) {
      counts = new Map();
      endsAt = now + windowMs;
    }
    const calls = (counts.get(who) ?? 0) + 1;
    counts.set(who, calls);
    return calls > most ? rateLimited(most, Math.ceil((endsAt - now) / 1000)) : null;
  };
}

function rateLimited(most: number, retryAfterSeconds: number): HttpProblem {
  const detail = `expected at most ${most} calls a minute, got more; send the next in ${retryAfterSeconds} s, or set RATE_LIMIT`;
  return new HttpProblem({ status: 429, code: 'RATE_LIMITED', detail, retryAfterSeconds });
}
