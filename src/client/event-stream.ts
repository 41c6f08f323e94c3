/** Reads a stream of events that ends with `done`; reconnects when the connection is lost. */
import { createParser } from 'eventsource-parser';
import { answerOf, type Call, type Problem, ProblemError } from './problem.ts';
import { type Backoff, createBackoff, pause } from './retry.ts';

/** The `id` counts events from 1. */
export type Numbered<Event> = Event & { readonly id: number };

/** Asks for the stream, with the headers of one connection. */
export type AskForEvents = (
  header: { readonly 'last-event-id'?: number },
  signal: AbortSignal,
) => Promise<Call<unknown>>;

/** While the server is away: the problem, where there was an answer, and the time to the next try. */
export type ConnectionState =
  | { readonly state: 'connected' }
  | { readonly state: 'away'; readonly problem: Problem | null; readonly retryInSeconds: number };

export type WatchOptions = {
  /** The id of the last event already received. */
  readonly after?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onConnection?: ((connection: ConnectionState) => void) | undefined;
};

const silentMs = 30_000; // the server sends at least a comment every 10 s
const maxEventLength = 1 << 20;

/**
 * Yields every event once and in order, until `done`. Reconnects when the connection breaks or falls silent, and waits for
 * a server that is away.
 *
 * @throws ProblemError when the server refuses the request: there is no such job, or a key is required
 * @throws the signal's reason when it aborts
 */
export async function* followEvents<Event extends { readonly type: string }>(
  ask: AskForEvents,
  { after = 0, signal, onConnection }: WatchOptions,
): AsyncGenerator<Numbered<Event>, void> {
  const backoff = createBackoff();
  for (let last = after; ; ) {
    signal?.throwIfAborted();
    const connection = openConnection<Event>(ask, last, signal);
    let trouble: ProblemError | null = null;
    try {
      const stream = await connection.open();
      if (stream === null) return; // no events after `last`
      onConnection?.({ state: 'connected' });
      for await (const event of connection.read(stream, backoff)) {
        if (event.id <= last) continue;
        last = event.id;
        yield event;
        if (event.type === 'done') return;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ProblemError) trouble = error;
      if (trouble && isRefusal(trouble)) throw error;
    } finally {
      connection.close();
    }
    const waitMs = backoff.next(trouble?.retryAfterSeconds ?? null);
    onConnection?.({ state: 'away', problem: trouble?.problem ?? null, retryInSeconds: waitMs / 1000 });
    await pause(waitMs, signal);
  }
}

/** Client errors are permanent, except for a timeout (408) and too many requests (429). */
function isRefusal({ problem: { status } }: ProblemError): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

type EventStream = ReadableStream<Uint8Array>;

/** One connection for the events after `last`. */
function openConnection<Event>(ask: AskForEvents, last: number, signal: AbortSignal | undefined) {
  const ending = new AbortController();
  const ended = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal;
  const beforeSilence = async <T>(step: Promise<T>): Promise<T> => {
    const timer = setTimeout(() => ending.abort(), silentMs);
    return step.finally(() => clearTimeout(timer));
  };
  return {
    /** null: there are no such events and there will be none. */
    open: async (): Promise<EventStream | null> => {
      const header = last > 0 ? { 'last-event-id': last } : {};
      const call = ask(header, ended);
      const { response } = await beforeSilence(call);
      return response.status === 204 ? null : ((await answerOf(call)) as EventStream);
    },
    read: async function* (stream: EventStream, backoff: Backoff): AsyncGenerator<Numbered<Event>, void> {
      const events: Numbered<Event>[] = [];
      const parser = createParser({
        onEvent: ({ id: number, data }) => {
          events.push({ ...(JSON.parse(data) as Event), id: Number(number) });
        },
        onComment: () => backoff.reset(),
        onRetry: (ms) => backoff.setFirst(ms),
        maxBufferSize: maxEventLength,
      });
      const reader = stream.getReader();
      const decoder = new TextDecoder();
      for (;;) {
        const { done, value } = await beforeSilence(reader.read());
        if (done) return;
        parser.feed(decoder.decode(value, { stream: true }));
        if (events.length > 0) backoff.reset();
        yield* events.splice(0);
      }
    },
    close: () => ending.abort(),
  };
}
