/** Reads event streams and can disconnect at any event. */
import { createParser, type EventSourceMessage } from 'eventsource-parser';

export type Told = Pick<EventSourceMessage, 'id' | 'event' | 'data'>;

/**
 * Reads a stream from the event after `lastId` until it ends or `cut` returns true; returns the events so far. The
 * status is 0 when there was no answer.
 */
export async function readStream(
  url: string,
  lastId: string | undefined,
  cut: (told: readonly Told[]) => boolean = () => false,
): Promise<{ told: Told[]; status: number }> {
  const gone = new AbortController();
  const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
  const response = await fetch(url, { headers, signal: gone.signal }).catch(() => null);
  if (!response) return { told: [], status: 0 };
  const told: Told[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }) => void told.push({ id, event, data }),
  });
  const text = response.body?.pipeThrough(new TextDecoderStream()) ?? [];
  for await (const chunk of text) {
    parser.feed(chunk);
    if (cut(told)) break;
  }
  gone.abort();
  return { told, status: response.status };
}
