/** A first look at a picture, shared by all further ones: its border, and where anything differs from that. */
import { type Border, borderOf } from './border.ts';
import type { Greys } from './greys.ts';
import { type Runs, runsUnlike, wholeRows } from './runs.ts';

export type Survey = {
  readonly greys: Greys;
  readonly border: Border;
  readonly runs: Runs; // elsewhere every pixel has the border's level; all rows where the border has no flat tone
};

export function survey(greys: Greys): Survey {
  const border = borderOf(greys);
  return { greys, border, runs: border.noise === 0 ? runsUnlike(greys, border.level) : wholeRows(greys) };
}
