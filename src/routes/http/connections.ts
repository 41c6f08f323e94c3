/** Lifetime of connections: the deadlines for a request, how long an idle connection stays open, and how they close. */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** Fastify's options for the server. */
export function connectionOptions(keepAliveSeconds: number) {
  const keepAliveMs = 1000 * keepAliveSeconds;
  return {
    connectionTimeout: Math.max(60_000, keepAliveMs + 5000), // of silence; keepAliveTimeout closes idle connections earlier
    requestTimeout: 30_000, // for the whole request to arrive
    http: {
      headersTimeout: 10_000, // Node silently swaps it with requestTimeout if it is longer; its default is 60 s
      connectionsCheckingInterval: 1000, // how often both are checked
      requireHostHeader: false, // app.ts answers requests without one
    },
    keepAliveTimeout: keepAliveMs, // longer than load balancers keep theirs: else they send into a connection that is closing
    forceCloseConnections: 'idle',
    return503OnClosing: false, // requests that still arrive are answered
  } as const;
}

const onTheirWayMs = 200;

/**
 * When the server closes, requests that are on their way are answered with `connection: close`, and then unused
 * connections are closed. Fastify closes idle connections only, and to Node a connection is not idle before its first
 * request; browsers open such connections in advance.
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
    // Meanwhile Fastify stops listening. A client that connected just before gets the same time.
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

const unreadMs = 1000; // for the rest of a body to arrive

/**
 * Reads a body that no route has read to its end, if the connection is to be closed after the answer. Closing with unread
 * data resets the connection, and the client may never see the answer (RFC 9112, 9.6).
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
