/** Answers to requests that are not valid HTTP or don't arrive in time: problems, as everywhere else. */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { securityHeaders } from './headers.ts';

const readOnMs = 500; // closing at once, with bytes unread, would lose the answer

type Refusal = { readonly status: number; readonly code: string; readonly detail: string };

const refusals: Record<string, Refusal> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'REQUEST_TIMEOUT',
    detail: 'expected the whole request sooner; send it again over a faster connection, or make it smaller',
  },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'HEADERS_TOO_LARGE',
    detail: 'expected a path and headers of at most 16 KiB together; send fewer or shorter ones',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    code: 'BODY_TOO_LARGE',
    detail: 'expected chunk extensions of at most 16 KiB; send none',
  },
};

const notHttp: Refusal = {
  status: 400,
  code: 'HTTP_INVALID',
  detail: 'expected an HTTP/1.1 request, got bytes that are none; use a client that speaks HTTP',
};

const patient = new WeakSet<Socket>();

/**
 * Lets the request under way arrive as slowly as it may, for as long as the connection is not silent: nothing of a large
 * upload is lost by waiting. Returns a function that ends this.
 */
export function arriveSlowly(socket: Socket): () => void {
  patient.add(socket);
  return () => void patient.delete(socket);
}

/** Use it as Fastify's `clientErrorHandler`. Node calls it again for each chunk that follows. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return;
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && patient.has(socket)) return; // Node says so once for a request
  if (isAnswering(socket)) return void socket.destroy(); // a second answer would land inside the first
  const { status, code, detail } = refusals[error.code ?? ''] ?? notHttp;
  const title = STATUS_CODES[status]!;
  const body = JSON.stringify({ type: 'about:blank', title, status, code, detail, instance: '' });
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...securityHeaders.map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.resume();
  setTimeout(() => socket.destroy(), readOnMs).unref();
}

/** Whether a response has begun and not ended. Node's own handler reads the same field. */
function isAnswering(socket: Socket & { readonly ['_httpMessage']?: ServerResponse | null }): boolean {
  return socket['_httpMessage']?.headersSent ?? false;
}
