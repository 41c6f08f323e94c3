/** The list of models, newest first: the newest ones are asked for regularly, older ones page by page. */
import { computed, signal } from '@preact/signals';
import { ask, client, type Model } from '../api/client.ts';
import type { Problem } from '../api/outcome.ts';
import { useAnswer } from '../api/use-answer.ts';

const everyMs = 5000;
const mostAsked = 100; // the server's limit
const pageSize = 20;

const newest = signal<readonly Model[]>([]);
const older = signal<readonly Model[]>([]);
const hasOlder = signal(false);

/** Versions go when newer ones come, so the newest page says which of its range are there. */
const list = computed(() => {
  const last = newest.value.at(-1)?.version ?? Number.POSITIVE_INFINITY;
  return [...newest.value, ...older.value.filter(({ version }) => version < last)];
});

export function useModels() {
  const { data, problem } = useAnswer(readNewest, [], everyMs);
  return { models: list.value, isKnown: data !== null, hasOlder: hasOlder.value, problem };
}

async function readNewest(ended: AbortSignal) {
  const shown = list.value.length;
  const limit = Math.min(mostAsked, Math.max(pageSize, shown));
  const outcome = await ask(client.GET('/models', { params: { query: { limit } }, signal: ended }));
  if (outcome.ok) {
    newest.value = outcome.data.data;
    if (shown < mostAsked) hasOlder.value = outcome.data.hasMore;
  }
  return outcome;
}

/** Null when they are in the list. */
export async function readOlder(): Promise<Problem | null> {
  const after = list.value.at(-1)?.version;
  const query = { limit: pageSize, ...(after !== undefined && { after }) };
  const outcome = await ask(client.GET('/models', { params: { query } }));
  if (!outcome.ok) return outcome.problem;
  older.value = [...older.value, ...outcome.data.data];
  hasOlder.value = outcome.data.hasMore;
  return null;
}
