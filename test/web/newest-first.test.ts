import { expect, it } from 'vitest';
import { createNewestFirst } from '../../web/src/api/newest-first.ts';

type Item = { readonly id: number; readonly text?: string };

/** A list over a server that holds `stored`, newest first. */
function listOf(stored: { items: Item[] }) {
  const limits: number[] = [];
  const list = createNewestFirst<Item, number>(
    ({ id }) => id,
    async ({ limit, after = Number.POSITIVE_INFINITY }) => {
      limits.push(limit);
      const rest = stored.items.filter(({ id }) => id < after);
      return { ok: true, data: { data: rest.slice(0, limit), hasMore: rest.length > limit } };
    },
  );
  const ids = () => list.items.value.map(({ id }) => id);
  return { list, ids, limits };
}

const never = new AbortController().signal;
const downFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: first - index }));

it('has the newest page, then older ones, and knows whether there are more', async () => {
  const { list, ids } = listOf({ items: downFrom(45, 45) });
  await list.refresh(never);
  expect(ids()).toEqual(downFrom(45, 20).map(({ id }) => id));
  await list.readOlder();
  expect(list.hasOlder.value).toBe(true);
  await list.readOlder();
  expect(ids()).toHaveLength(45);
  expect(list.hasOlder.value).toBe(false);
});

it('refreshes all that is shown, up to the largest page, and keeps what is older', async () => {
  const { list, ids, limits } = listOf({ items: downFrom(130, 130) });
  await list.refresh(never);
  for (let page = 0; page < 5; page++) await list.readOlder();
  await list.refresh(never);
  expect(limits.at(-1)).toBe(100);
  expect(ids()).toHaveLength(120);
});

it('drops what is gone from the range of a page', async () => {
  const stored = { items: downFrom(5, 5) };
  const { list, ids } = listOf(stored);
  await list.refresh(never);
  stored.items = [{ id: 6 }, { id: 4 }, { id: 1 }];
  await list.refresh(never);
  expect(ids()).toEqual([6, 4, 1]);
});

it('puts an item in its place, and replaces one that it has', async () => {
  const { list, ids } = listOf({ items: [] });
  for (const id of [2, 3, 1]) list.put({ id });
  list.put({ id: 3, text: 'new' });
  expect(ids()).toEqual([3, 2, 1]);
  expect(list.items.value[0]).toEqual({ id: 3, text: 'new' });
});
