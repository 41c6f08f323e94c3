/** Lifetime of connections: the deadlines for a request, how long an idle connection stays open, and how they close. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerClientError } from './client-error.ts';
import { HttpProblem } from './problem.ts';
import { refuseRest } from './received-body.ts';

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

/** How long a server that closes waits, in ms; all of it is shorter than the grace of its process (lifecycle.ts). */
export type ClosingLimits = {
  readonly onTheirWay: number; // for the first byte of a request on an unused connection
  readonly silence: number; // between two pieces of a request
  readonly arrival: number; // for a request that keeps arriving
  readonly answer: number; // for an answer that the client does not read
};

const closingLimits: ClosingLimits = { onTheirWay: 200, silence: 1000, arrival: 5000, answer: 7000 };

/** The newest exchange on a connection. */
type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

/**
 * When the server closes, requests that are on their way are answered with `connection: close`, and then unused
 * connections are closed. Fastify closes idle connections only: to Node, a connection is not idle before its first request
 * (browsers open such connections in advance), nor while a request is still arriving, which may take for ever.
 */
export function closeConnectionsOnShutdown(app: FastifyInstance, limits = closingLimits): void {
  let closing = false;
  const open = new Map<Socket, Exchange | null>(); // null: not used yet
  app.server.on('connection', (socket) => {
    open.set(socket, null);
    socket.once('close', () => open.delete(socket));
  });
  app.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    open.set(request.socket, { request, response });
  });
  app.addHook('preClose', async () => {
    closing = true;
    if (open.size > 0) await delay(limits.onTheirWay);
    // Meanwhile Fastify stops listening. A client that connected just before gets the same time.
    setTimeout(() => {
      for (const [socket, exchange] of open) if (!exchange) socket.destroy();
    }, limits.onTheirWay).unref();
    endOpenExchanges(open, limits);
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

/** Watches the connections of a server that closes until none is left, and ends those that exceed a limit. */
function endOpenExchanges(open: ReadonlyMap<Socket, Exchange | null>, limits: ClosingLimits): void {
  const began = performance.now();
  const heard = new WeakMap<Socket, { readonly bytes: number; readonly at: number }>();
  const timer = setInterval(() => {
    if (open.size === 0) return clearInterval(timer);
    const now = performance.now();
    for (const [socket, exchange] of open) {
      const last = heard.get(socket);
      const isNew = last?.bytes !== socket.bytesRead;
      if (isNew) heard.set(socket, { bytes: socket.bytesRead, at: now });
      if (now - began > limits.answer) socket.destroy();
      else if (now - (isNew ? now : last.at) > limits.silence || now - began > limits.arrival)
        refuseUnfinished(socket, exchange);
    }
  }, limits.silence / 4).unref();
}

/** Answers a request that has not arrived yet: 503 if its route reads the body, else 408. Does nothing to other connections. */
function refuseUnfinished(socket: Socket, exchange: Exchange | null): void {
  if (!exchange) return;
  const { request, response } = exchange;
  if (response.writableFinished) return answerClientError(requestTimeout(), socket);
  if (!request.complete && !response.headersSent) refuseRest(request, closingProblem());
}

function requestTimeout(): Error {
  return Object.assign(new Error('the server closes'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
}

function closingProblem(): HttpProblem {
  const detail =
    'expected the rest of the body sooner, since the server is closing; send the whole request again';
  return new HttpProblem({ status: 503, code: 'CLOSING', detail, retryAfterSeconds: 1 });
}

const unreadMs = 1000; // for the rest of a body to arrive

/** Reads bodies that no route has read to their end before the answer is sent. */
export function readUnwantedBodies(app: FastifyInstance): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    afterUnwantedBody(request, reply, () => done(null, payload));
  });
}

/**
 * Calls `send`, if the connection is to be closed after the answer, only when the rest of the body has been read. Closing
 * with unread data resets the connection, and the client may never see the answer (RFC 9112, 9.6).
 */
export function afterUnwantedBody({ raw }: FastifyRequest, reply: FastifyReply, send: () => void): void {
  const hasBody =
    raw.headers['content-length'] !== undefined || raw.headers['transfer-encoding'] !== undefined;
  const stays = reply.raw.shouldKeepAlive && reply.getHeader('connection') !== 'close';
  if (!hasBody || stays || raw.readableEnded || raw.destroyed) return send();
  const timer = setTimeout(end, unreadMs);
  function end(): void {
    clearTimeout(timer);
    raw.off('close', end).off('end', end);
    send();
  }
  raw.on('end', end).on('close', end).resume();
}
