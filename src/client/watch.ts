/** Follows what happens: the events of a training, or of the import of a data set. */
import type { TrainyardClient } from './client.ts';
import { followEvents, type Numbered, type WatchOptions } from './event-stream.ts';
import type { components } from './schema.ts';

type Schemas = components['schemas'];
export type NumberedEvent = Numbered<Schemas['JobEvent']>;
export type NumberedImportEvent = Numbered<Schemas['ImportEvent']>;

/**
 * Yields every event of a job once and in order, until the job is done. Reconnects when the connection breaks or falls
 * silent, and waits for a server that is away.
 *
 * @throws ProblemError when the server refuses the request: the job is unknown, or a key is required
 * @throws the signal's reason when it aborts
 */
export function watchJob(
  client: TrainyardClient,
  id: string,
  options: WatchOptions = {},
): AsyncGenerator<NumberedEvent, void> {
  return followEvents(
    (header, signal) =>
      client.GET('/jobs/{id}/events', { params: { path: { id }, header }, parseAs: 'stream', signal }),
    options,
  );
}

/**
 * Likewise yields the events of an import, until it is done; none where the data set came without one or its import is no
 * longer kept.
 *
 * @throws as watchJob does
 */
export function watchImport(
  client: TrainyardClient,
  name: string,
  options: WatchOptions = {},
): AsyncGenerator<NumberedImportEvent, void> {
  return followEvents(
    (header, signal) =>
      client.GET('/datasets/{name}/events', {
        params: { path: { name }, header },
        parseAs: 'stream',
        signal,
      }),
    options,
  );
}
