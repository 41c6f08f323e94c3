/** The list of jobs, refreshed every two seconds while it is shown; and the jobs whose curves are compared. */
import { signal } from '@preact/signals';
import type { Job } from '../../../src/client/index.ts';
import { createNewestFirst } from '../api/newest-first.ts';
import { useAnswer } from '../api/use-answer.ts';
import { type App, useStore } from '../app-context.ts';

export const mostCurves = 6; // as many colours can be told apart

const everyMs = 2000;

/** Ids of jobs grow with time. */
export function createJobList({ api: { client, ask } }: App) {
  return createNewestFirst<Job, string>(
    ({ id }) => id,
    (query, ended) => ask(client.GET('/jobs', { params: { query }, ...(ended && { signal: ended }) })),
  );
}

export function useJobs() {
  const { items, hasOlder, refresh } = useStore(createJobList);
  const { data, problem, reload } = useAnswer(refresh, [], everyMs);
  return { jobs: items.value, isKnown: data !== null, problem, hasOlder: hasOlder.value, reload };
}

/** The jobs whose curves are shown beside the open one's, in the order in which they were ticked. */
export function createComparison() {
  const ids = signal<readonly string[]>([]);
  const set = (id: string, isWanted: boolean) => {
    const others = ids.value.filter((each) => each !== id);
    ids.value = isWanted && others.length < mostCurves - 1 ? [...others, id] : others;
  };
  return { ids, set };
}
