/** Pages of a list: up to `limit` entries after the one with the id `after`. */
import { z } from 'zod';
import { HttpProblem } from './http/problem.ts';

/** `text`: what `after` is. */
export const pageQuery = (text: string) =>
  z.strictObject({
    limit: z.coerce.number().int().min(1).max(100).default(20),
    after: z.string().max(64).exactOptional().describe(text),
  });

/** @throws HttpProblem 400 where no entry has the id `after` */
export function pageOf<Entry>(
  all: readonly Entry[],
  { limit, after }: { limit: number; after?: string },
  idOf: (entry: Entry) => string,
): { data: Entry[]; hasMore: boolean } {
  const previous = after === undefined ? -1 : all.findIndex((entry) => idOf(entry) === after);
  if (after !== undefined && previous === -1) {
    const detail = `expected after to be an id in this list, got "${after}", which may have been removed; begin again without it`;
    throw new HttpProblem({ status: 400, code: 'VALIDATION_FAILED', detail });
  }
  const start = previous + 1;
  return { data: all.slice(start, start + limit), hasMore: all.length > start + limit };
}
