/** A list that the server gives newest first: refreshed from its start, extended page by page. */
import { type ReadonlySignal, signal } from '@preact/signals';
import type { Outcome, Problem } from './outcome.ts';

type Page<Item> = { readonly data: readonly Item[]; readonly hasMore: boolean };
type Query<Key> = { readonly limit: number; readonly after?: Key };

export type NewestFirst<Item> = {
  readonly items: ReadonlySignal<readonly Item[]>;
  readonly hasOlder: ReadonlySignal<boolean>;
  /** Reads the first items again, as many as there are, up to a full page of the server. */
  readonly refresh: (ended: AbortSignal) => Promise<Outcome<Page<Item>>>;
  /** Reads the next page; resolves with the problem, if there was one. */
  readonly readOlder: () => Promise<Problem | null>;
  /** Inserts or replaces an item. */
  readonly put: (item: Item) => void;
};

const pageSize = 20;
const longestPage = 100; // the largest `limit` of GET /jobs and GET /models

export function createNewestFirst<Item, Key extends string | number>(
  keyOf: (item: Item) => Key,
  read: (query: Query<Key>, ended?: AbortSignal) => Promise<Outcome<Page<Item>>>,
): NewestFirst<Item> {
  const items = signal<readonly Item[]>([]);
  const hasOlder = signal(false);
  const lastKey = () => (items.value.length > 0 ? keyOf(items.value.at(-1)!) : undefined);
  /** Items of the page's range that the page lacks have been deleted. */
  const mergeFirst = (page: readonly Item[]) => {
    const last = page.at(-1);
    const older = items.value.filter((item) => last !== undefined && keyOf(item) < keyOf(last));
    items.value = [...page, ...older];
  };
  return {
    items,
    hasOlder,
    refresh: async (ended) => {
      const shown = items.value.length;
      const outcome = await read({ limit: Math.min(longestPage, Math.max(pageSize, shown)) }, ended);
      if (!outcome.ok) return outcome;
      mergeFirst(outcome.data.data);
      if (shown < longestPage) hasOlder.value = outcome.data.hasMore;
      return outcome;
    },
    readOlder: async () => {
      const after = lastKey();
      const outcome = await read({ limit: pageSize, ...(after !== undefined && { after }) });
      if (!outcome.ok) return outcome.problem;
      const known = new Set(items.value.map(keyOf));
      items.value = [...items.value, ...outcome.data.data.filter((item) => !known.has(keyOf(item)))];
      hasOlder.value = outcome.data.hasMore;
      return null;
    },
    put: (item) => {
      const others = items.value.filter((each) => keyOf(each) !== keyOf(item));
      items.value = [...others, item].toSorted((a, b) => (keyOf(a) < keyOf(b) ? 1 : -1));
    },
  };
}
