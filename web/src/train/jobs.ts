/** The list of jobs, newest first: the newest ones are asked for every two seconds, older ones page by page. */
import { computed, signal } from '@preact/signals';
import { ask, client, type Job } from '../api/client.ts';
import type { Problem } from '../api/outcome.ts';
import { useAnswer } from '../api/use-answer.ts';

const pageSize = 20;
const mostAsked = 100; // the server's limit
const everyMs = 2000;

const known = signal<Readonly<Record<string, Job>>>({});
const hasOlder = signal(false);
/** Ids grow with time. */
const list = computed(() => Object.values(known.value).toSorted((a, b) => (a.id < b.id ? 1 : -1)));

export function addJobs(jobs: readonly Job[]): void {
  known.value = { ...known.value, ...Object.fromEntries(jobs.map((job) => [job.id, job])) };
}

export function useJobs() {
  const { data, problem, reload } = useAnswer(readNewest, [], everyMs);
  return { jobs: list.value, isKnown: data !== null, problem, hasOlder: hasOlder.value, reload };
}

async function readNewest(ended: AbortSignal) {
  const shown = list.value.length;
  const limit = Math.min(mostAsked, Math.max(pageSize, shown));
  const outcome = await ask(client.GET('/jobs', { params: { query: { limit } }, signal: ended }));
  if (outcome.ok) {
    addJobs(outcome.data.data);
    if (shown < mostAsked) hasOlder.value = outcome.data.hasMore;
  }
  return outcome;
}

/** Null when they are in the list. */
export async function readOlder(): Promise<Problem | null> {
  const after = list.value.at(-1)?.id;
  const query = { limit: pageSize, ...(after !== undefined && { after }) };
  const outcome = await ask(client.GET('/jobs', { params: { query } }));
  if (!outcome.ok) return outcome.problem;
  addJobs(outcome.data.data);
  hasOlder.value = outcome.data.hasMore;
  return null;
}
