/**
 * Refuses requests that came through a proxy from another machine, where only this machine is answered. Headers that a
 * client can set itself never make a request local: each of them must name a loopback address.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { isLoopback } from '../../lib/loopback.ts';

/** Addresses and subnets of trusted proxies; `true`: every peer is one. */
export type TrustProxy = boolean | string[];

/** Headers of RFC 7239, RFC 9110 (7.6.3), and those that proxies and content networks send in practice. */
const forwarding =
  /^(?:forwarded|via|x-forwarded(?:-\w+)?|x-original-forwarded-for|x-real-ip|x-client-ip|x-cluster-client-ip|true-client-ip|cf-connecting-ip)$/;
const namesClient = /-(?:ip|for)$/;
const othersMayAsk = 'set API_KEY, or ALLOW_ANONYMOUS=true, to answer others';

/** Says why a request through a proxy does not count as local; null if it does, or came through no proxy. */
export function refuseProxied(request: FastifyRequest): string | null {
  const names = forwardingNames(Object.keys(request.headers));
  if (names.length === 0) return null;
  const isTrusted = (request.ips?.length ?? 0) > 1; // Fastify reads X-Forwarded-For only from trusted peers
  if (!isTrusted || names.includes('forwarded')) {
    const came = `${names.join(', ')} from ${request.socket.remoteAddress}`;
    return `expected a request that came through no proxy, or X-Forwarded-For by one that TRUST_PROXY names, got ${came}; ${othersMayAsk} through it, or TRUST_PROXY to answer this machine through it`;
  }
  const other = foreignEntry(request.headers, names);
  if (other === undefined) return null;
  return `expected loopback addresses alone in what the proxy forwards, got ${JSON.stringify(other)}; ${othersMayAsk}`;
}

/** Returns the names, in lower case, that only a proxy sends. */
export function forwardingNames(names: readonly string[]): string[] {
  return names.filter((name) => forwarding.test(name));
}

/** The first client or host that is not loopback. */
function foreignEntry(headers: IncomingHttpHeaders, names: readonly string[]): string | undefined {
  const clients = names.filter((name) => namesClient.test(name)).flatMap((name) => entriesOf(headers[name]));
  const hosts = ['host', 'x-forwarded-host'].flatMap((name) => entriesOf(headers[name]));
  const addresses = [...clients, ...hosts.map((host) => host.replace(/:\d+$/, ''))];
  return addresses.find((address) => !isLoopback(address));
}

function entriesOf(value: string | readonly string[] = []): string[] {
  return [value].flat().flatMap((text) => text.split(',').map((entry) => entry.trim()));
}
