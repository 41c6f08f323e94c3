/** A server of events that can be told how each connection goes: a real one, over HTTP, on this machine. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export type Handler = (request: IncomingMessage, response: ServerResponse, connection: number) => void;

export type EventServer = {
  readonly url: string;
  /** `Last-Event-ID` of each connection so far; null: it sent none. */
  readonly asked: (number | null)[];
};

/** Calls `handle` with the number of the connection, from 0; closed when the test has ended. */
export async function serveEvents(handle: Handler): Promise<EventServer> {
  const asked: (number | null)[] = [];
  const server = createServer((request, response) => {
    const last = request.headers['last-event-id'];
    handle(request, response, asked.push(last === undefined ? null : Number(last)) - 1);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Headers of a stream, sent at once; clients come back after a millisecond. */
export function beginStream(response: ServerResponse, retryMs = 1): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(`retry: ${retryMs}\n\n`);
}

/** `count` events as the server writes them, the last of them `done`; those after the one numbered `after`. */
export function eventText(count: number, after = 0): string {
  const texts = Array.from({ length: count - after }, (_, index) => {
    const id = after + index + 1;
    const event = id === count ? done : { type: 'queued', at: 'größer als ASCII', position: id };
    return `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
  });
  return texts.join('');
}

const done = { type: 'done', at: '', status: 'succeeded', modelVersion: 1, error: null };

export function sendProblem(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
): void {
  const problem = {
    type: 'about:blank',
    title: '',
    status,
    code: 'TOLD',
    detail: `told ${status}`,
    instance: '/',
  };
  response
    .writeHead(status, { 'content-type': 'application/problem+json', ...headers })
    .end(JSON.stringify(problem));
}
