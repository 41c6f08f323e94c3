/** How long connections live: what a request may take to come in, how long an idle one stays open, and what closing does. */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** For the server. */
export function connectionOptions(keepAliveSeconds: number) {
  const keepAliveMs = 1000 * keepAliveSeconds;
  return {
    connectionTimeout: Math.max(60_000, keepAliveMs + 5000), // of silence; an idle one is closed by keepAliveTimeout
    requestTimeout: 30_000, // for a request to come in whole
    http: {
      headersTimeout: 10_000, // Node swaps the two silently when this one, 60 s by default, is the longer
      connectionsCheckingInterval: 1000, // both are looked at so often
      requireHostHeader: false, // answered below
    },
    keepAliveTimeout: keepAliveMs, // longer than balancers keep theirs, or they send into one that is being closed
    forceCloseConnections: 'idle',
    return503OnClosing: false, // what still comes is answered
  } as const;
}

const onTheirWayMs = 200;

/**
 * Answers the requests that are on their way when the server closes, each with `connection: close`, and closes what is idle
 * after that. Fastify closes idle connections, but to Node one is not idle before its first request, and browsers
 * open connections ahead.
 */
export function closeConnectionsOnShutdown(app: FastifyInstance): void {
  let closing = false;
  const open = new Set<Socket>();
  const unused = new Set<Socket>();
  app.server.on('connection', (socket) => {
    open.add(socket);
    unused.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      unused.delete(socket);
    });
  });
  app.server.on('request', ({ socket }) => unused.delete(socket));
  app.addHook('preClose', async () => {
    closing = true;
    if (open.size > 0) await delay(onTheirWayMs);
    // Meanwhile Fastify stops listening; who connected just before has the same time.
    setTimeout(() => unused.forEach((socket) => socket.destroy()), onTheirWayMs).unref();
  });
  // An answer that began before closing and ended after it leaves a connection open that nobody else closes.
  app.addHook('onResponse', ({ raw }, _reply, done) => {
    if (closing) raw.socket.end();
    done();
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) reply.header('connection', 'close');
    done(null, payload);
  });
}

const unreadMs = 1000; // that the rest of a body may take

/**
 * Reads a body that no route wanted to its end before the answer, where the connection is closed after it: one that is
 * closed with data unread is reset, and the client may never see the answer (RFC 9112, 9.6).
 */
export function readUnwantedBodies(app: FastifyInstance): void {
  app.addHook('onSend', ({ raw, headers }, reply, payload, done) => {
    const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
    if (!hasBody || reply.raw.shouldKeepAlive || raw.readableEnded || raw.destroyed)
      return done(null, payload);
    const timer = setTimeout(end, unreadMs);
    function end(): void {
      clearTimeout(timer);
      raw.off('close', end).off('end', end);
      done(null, payload);
    }
    raw.on('end', end).on('close', end).resume();
  });
}
