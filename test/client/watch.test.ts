/** watchJob over connections that break off, fall silent, refuse and come back. */
import { EventEmitter, once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  type ConnectionState,
  createClient,
  type NumberedEvent,
  type WatchOptions,
  watchJob,
} from '../../src/client/index.ts';
import { beginStream, eventText, sendProblem, serveEvents } from './event-server.ts';

function watchAt(url: string, options: WatchOptions = {}) {
  return watchJob(createClient({ baseUrl: url }), 'a', options);
}

async function collect(events: AsyncIterable<NumberedEvent>): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of events) ids.push(id);
  return ids;
}

const upTo = (count: number, from = 1) =>
  Array.from({ length: count - from + 1 }, (_, index) => from + index);

const firstOf = (events: string) => `${events.split('\n\n')[0]!}\n\n`;

describe('watchJob', () => {
  it('gives each event once and in order, and ends after done though the stream goes on', async () => {
    const { url, asked } = await serveEvents((_request, response) => {
      beginStream(response);
      response.write(eventText(5));
    });
    const events: NumberedEvent[] = [];
    const client = createClient({ baseUrl: url, fetch: byteByByte });
    for await (const event of watchJob(client, 'a')) events.push(event);
    expect(events.map(({ id }) => id)).toEqual(upTo(5));
    expect(events[1]).toEqual({ id: 2, type: 'queued', at: 'größer als ASCII', position: 2 });
    expect(events.at(-1)).toMatchObject({ type: 'done', status: 'succeeded' });
    expect(asked).toEqual([null]);
  });

  it('loses and doubles nothing, wherever connections break off', async () => {
    const count = 40;
    const bytes = Buffer.byteLength(eventText(count));
    const fate = fc.record({
      /** How much is sent before the end, cut anywhere, also within a character. */
      length: fc.nat(Math.ceil(bytes / 10)),
      pieces: fc.integer({ min: 1, max: 5 }),
      end: fc.constantFrom('destroy', 'end', 'refuse'),
      again: fc.nat(3), // events that the client has already
    });
    const property = fc.asyncProperty(fc.array(fate, { minLength: 20, maxLength: 20 }), async (fates) => {
      const { url, asked } = await serveEvents((_request, response, connection) => {
        const { length, pieces, end, again } = fates[connection] ?? {
          length: bytes,
          pieces: 1,
          end: 'end',
          again: 0,
        };
        if (connection > 0 && end === 'refuse') return sendProblem(response, 503, { 'retry-after': '0' });
        beginStream(response);
        const text = Buffer.from(eventText(count, Math.max(0, (asked[connection] ?? 0) - again)));
        sendPieces(response, text.subarray(0, length), pieces, end === 'destroy');
      });
      expect(await collect(watchAt(url))).toEqual(upTo(count));
      expect(asked.length).toBeGreaterThan(1);
    });
    await fc.assert(property, { numRuns: 10, seed: 6 });
  });

  it('goes on behind the event that is known already', async () => {
    const sendAfter = (response: ServerResponse, after: number) => {
      beginStream(response);
      response.end(eventText(5, after));
    };
    const { url, asked } = await serveEvents((_request, response, connection) => {
      if (connection > 0) response.writeHead(204).end();
      else sendAfter(response, asked[0]!);
    });
    expect(await collect(watchAt(url, { after: 3 }))).toEqual([4, 5]);
    expect(await collect(watchAt(url, { after: 5 }))).toEqual([]); // 204: all that there will be is known
    expect(asked).toEqual([3, 5]);
  });

  it.each([400, 401, 403, 404])('gives up with the problem of a %i, at once', async (status) => {
    const { url, asked } = await serveEvents((_request, response) => sendProblem(response, status));
    await expect(collect(watchAt(url))).rejects.toMatchObject({ message: `told ${status}`, code: 'TOLD' });
    expect(asked).toHaveLength(1);
  });

  it('says when it is away and why, waits as long as it is asked to, and says when it is back', async () => {
    const { url } = await serveEvents((_request, response, connection) => {
      if (connection === 0) return sendProblem(response, 503, { 'retry-after': '1' });
      beginStream(response);
      response.write(eventText(2));
    });
    const states: ConnectionState[] = [];
    const begun = performance.now();
    await collect(watchAt(url, { onConnection: (state) => states.push(state) }));
    expect(states).toEqual([
      { state: 'away', problem: expect.objectContaining({ detail: 'told 503' }), retryInSeconds: 1 },
      { state: 'connected' },
    ]);
    expect(performance.now() - begun).toBeGreaterThan(990);
  });

  it('waits no longer each time where each time there is something new', async () => {
    const { url } = await serveEvents((_request, response, connection) => {
      beginStream(response);
      response.end(firstOf(eventText(6, connection)));
    });
    const waits: number[] = [];
    const onConnection = (connection: ConnectionState) => {
      if (connection.state === 'away') waits.push(connection.retryInSeconds);
    };
    expect(await collect(watchAt(url, { onConnection }))).toEqual(upTo(6));
    expect(waits).toEqual(Array.from({ length: 5 }, () => 0.001));
  });

  it('says that nobody answers, and goes on trying until it is told to stop', async () => {
    const stop = new AbortController();
    const states: ConnectionState[] = [];
    const onConnection = (state: ConnectionState) => {
      states.push(state);
      if (states.length === 2) stop.abort();
    };
    const nobody = 'http://127.0.0.1:1'; // of the ports that fetch never asks, too
    await expect(collect(watchAt(nobody, { signal: stop.signal, onConnection }))).rejects.toThrow(/abort/);
    expect(states).toEqual([
      {
        state: 'away',
        problem: expect.objectContaining({ code: 'SERVER_UNREACHABLE' }),
        retryInSeconds: 0.25,
      },
      {
        state: 'away',
        problem: expect.objectContaining({ code: 'SERVER_UNREACHABLE' }),
        retryInSeconds: 0.5,
      },
    ]);
  });
});

/** fetch whose bytes come one at a time. */
async function byteByByte(request: Request): Promise<Response> {
  const response = await fetch(request);
  const transform = (chunk: Uint8Array, controller: TransformStreamDefaultController<Uint8Array>) => {
    for (const byte of chunk) controller.enqueue(Uint8Array.of(byte));
  };
  return new Response(response.body!.pipeThrough(new TransformStream({ transform })), response);
}

/** One piece after the other has left; then the end. */
function sendPieces(response: ServerResponse, bytes: Buffer, count: number, destroy: boolean): void {
  if (count === 0) return void (destroy ? response.destroy() : response.end());
  const length = Math.ceil(bytes.length / count);
  response.write(bytes.subarray(0, length), () =>
    sendPieces(response, bytes.subarray(length), count - 1, destroy),
  );
}

describe('a stream that falls silent', () => {
  it('is gone after 30 s; one that beats is not', async () => {
    const { url, asked } = await serveEvents((_request, response, connection) => {
      beginStream(response);
      response.write(firstOf(eventText(9, connection)));
      if (connection === 0) beat = () => void response.write(':\n\n');
    });
    let beat = () => {};
    const heard = new EventEmitter();
    const client = createClient({ baseUrl: url, fetch: tellOfChunks(heard) });
    const events = watchJob(client, 'a');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    expect((await events.next()).value).toMatchObject({ id: 1 });

    const second = events.next();
    await setImmediate();
    await vi.advanceTimersByTimeAsync(29_000);
    beat();
    await once(heard, 'chunk');
    await setImmediate();
    await vi.advanceTimersByTimeAsync(29_000);
    expect(asked).toEqual([null]);

    await vi.advanceTimersByTimeAsync(1000);
    await setImmediate();
    await vi.advanceTimersByTimeAsync(1); // as long as the server said
    expect((await second).value).toMatchObject({ id: 2 });
    expect(asked).toEqual([null, 1]);
    await events.return();
  });
});

/** fetch that emits `chunk` for each that it passes on. */
function tellOfChunks(heard: EventEmitter): (request: Request) => Promise<Response> {
  return async (request) => {
    const response = await fetch(request);
    const transform = (chunk: Uint8Array, controller: TransformStreamDefaultController) => {
      controller.enqueue(chunk);
      heard.emit('chunk');
    };
    return new Response(response.body!.pipeThrough(new TransformStream({ transform })), response);
  };
}

describe('a reader that leaves', () => {
  /** Sends one event, and tells when the client has gone. */
  async function serveOne() {
    const gone = new EventEmitter();
    const { url } = await serveEvents((_request, response) => {
      beginStream(response);
      response.write(firstOf(eventText(9)));
      response.once('close', () => gone.emit('close'));
    });
    return { url, closed: once(gone, 'close') };
  }

  it('closes the connection when it breaks off', async () => {
    const { url, closed } = await serveOne();
    for await (const _ of watchAt(url)) break;
    expect(await closed).toEqual([]);
  });

  it('closes the connection when it aborts, and gets the reason', async () => {
    const { url, closed } = await serveOne();
    const stop = new AbortController();
    const reason = new Error('enough');
    const watched = watchAt(url, { signal: stop.signal });
    await watched.next();
    const second = watched.next();
    stop.abort(reason);
    await expect(second).rejects.toBe(reason);
    await closed;
  });

  it('asks nothing when it had aborted before', async () => {
    const { url, asked } = await serveEvents((_request, response) => beginStream(response));
    await expect(collect(watchAt(url, { signal: AbortSignal.abort() }))).rejects.toThrow(/abort/);
    expect(asked).toEqual([]);
  });
});
