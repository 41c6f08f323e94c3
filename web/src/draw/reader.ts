/** Has the drawing read, by the version that a query selects: one request at a time, always of the newest drawing. */
import { type ReadonlySignal, signal } from '@preact/signals';
import { isTransient, type Prediction, predict } from '../../../src/client/index.ts';
import type { Api } from '../api/api.ts';
import { outcomeOf, type Problem } from '../api/outcome.ts';
import { createLatest } from './latest.ts';
import type { Sheet } from './marks.ts';
import { imageOf } from './sheet-image.ts';

export type Reading =
  | { readonly state: 'empty' }
  | { readonly state: 'first' } // under way, no answer yet
  | { readonly state: 'read'; readonly prediction: Prediction; readonly roundTripMs: number }
  | { readonly state: 'problem'; readonly problem: Problem };

export type Reader = {
  readonly reading: ReadonlySignal<Reading>;
  /** Drops the answer when there is nothing to read. */
  readonly read: (sheet: Sheet) => void;
  /** Aborts the request under way and forgets the answer. */
  readonly drop: () => void;
};

const noModelRetryMs = 5000; // a first training takes longer than the usual retry

/** @param query of the next request */
export function createReader(
  { client }: Pick<Api, 'client'>,
  query: () => Parameters<typeof predict>[2],
): Reader {
  const reading = signal<Reading>({ state: 'empty' });
  const latest = createLatest<Sheet>(async (seen, ended) => {
    const image = await imageOf(seen);
    if (image === null || ended.aborted) return null;
    const startedAt = performance.now();
    const outcome = await outcomeOf(predict(client, image, { ...query(), signal: ended }));
    if (ended.aborted) return null;
    if (outcome.ok) {
      const roundTripMs = performance.now() - startedAt;
      reading.value = { state: 'read', prediction: outcome.data, roundTripMs };
      return null;
    }
    reading.value = { state: 'problem', problem: outcome.problem };
    return retryAfterMs(outcome.problem);
  });
  const drop = () => {
    latest.drop();
    reading.value = { state: 'empty' };
  };
  return {
    reading,
    drop,
    read: (sheet) => {
      if (sheet.kind === 'empty') return drop();
      if (reading.peek().state === 'empty') reading.value = { state: 'first' };
      latest.submit(sheet);
    },
  };
}

/** Null for problems with the picture, which do not pass. */
function retryAfterMs(problem: Problem): number | null {
  if (problem.code === 'NO_MODEL') return noModelRetryMs;
  return isTransient(problem) ? 1000 * (problem.retryAfterSeconds ?? 1) : null;
}
