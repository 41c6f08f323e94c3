/** Has the drawing read, in whatever way: one request at a time, always of the newest drawing. */
import { type ReadonlySignal, signal } from '@preact/signals';
import { isTransient, type Prediction } from '../../../src/client/index.ts';
import { outcomeOf, type Problem } from '../api/outcome.ts';
import { createLatest } from './latest.ts';
import type { Sheet } from './marks.ts';
import { imageOf } from './sheet-image.ts';

export type Reading<Found = Prediction> =
  | { readonly state: 'empty' }
  | { readonly state: 'first' } // under way, no answer yet
  | { readonly state: 'read'; readonly prediction: Found; readonly roundTripMs: number }
  | { readonly state: 'problem'; readonly problem: Problem };

export type Reader<Found> = {
  readonly reading: ReadonlySignal<Reading<Found>>;
  /** Drops the answer when there is nothing to read. */
  readonly read: (sheet: Sheet) => void;
  /** Aborts the request under way and forgets the answer. */
  readonly drop: () => void;
};

const noModelRetryMs = 5000; // a first training takes longer than the usual retry

/** Has one picture read. */
type Ask<Found> = (image: Blob, ended: AbortSignal, sheet: Sheet) => Promise<Found>;

export function createReader<Found>(ask: Ask<Found>): Reader<Found> {
  const reading = signal<Reading<Found>>({ state: 'empty' });
  const latest = createLatest<Sheet>(async (seen, ended) => {
    const image = await imageOf(seen);
    if (image === null || ended.aborted) return null;
    const startedAt = performance.now();
    const outcome = await outcomeOf(ask(image, ended, seen));
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
