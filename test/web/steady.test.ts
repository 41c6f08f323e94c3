import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Order, steadied } from '../../web/src/review/steady.ts';
import { runs } from '../long.ts';

type Item = { readonly id: string; readonly sureness: number };

const order: Order<Item> = {
  idOf: ({ id }) => id,
  isBehind: (item, other) => item.sureness > other.sureness,
};
const all = (data: readonly Item[]) => ({ data, hasMore: false });
const ids = (items: readonly Item[]) => items.map(({ id }) => id).join('');
const item = (id: string, sureness = 0.5): Item => ({ id, sureness });
const [a, b, c, d] = [item('a', 0.1), item('b', 0.2), item('c', 0.3), item('d', 0.4)] as const;

it('shows the first list as it comes', () => {
  expect(steadied([], all([a, b]), order)).toEqual({ items: [a, b], fresh: [] });
});

it('keeps the order, lets new ones wait and removed ones go', () => {
  const { items, fresh } = steadied([c, a, b], all([d, b, item('e'), c]), order);
  expect([ids(items), ids(fresh)]).toEqual(['cb', 'de']);
});

it('shows what an item is now', () => {
  const changed = { ...a, sureness: 0.9 };
  expect(steadied([a, b], all([b, changed]), order).items).toEqual([changed, b]);
});

it('shows welcome ones at once, before the others', () => {
  const { items, fresh } = steadied([b], all([a, c, b]), order, ({ id }) => id === 'c');
  expect([ids(items), ids(fresh)]).toEqual(['cb', 'a']);
});

it('keeps what others have pushed behind the last one that the server sends', () => {
  const page = { data: [a, b], hasMore: true };
  expect(ids(steadied([a, d], page, order).items)).toBe('ad');
  expect(ids(steadied([item('x', 0.15), a], page, order).items)).toBe('a');
  expect(ids(steadied([a, d], { ...page, hasMore: false }, order).items)).toBe('a');
});

it('shows the new ones where all others are gone', () => {
  expect(steadied([a], all([b, c]), order)).toEqual({ items: [b, c], fresh: [] });
  expect(steadied([a], all([]), order)).toEqual({ items: [], fresh: [] });
});

it('never moves what it shows, shows all that is sent but what is fresh, and settles at once', () => {
  const lists = fc.uniqueArray(
    fc.integer({ min: 0, max: 12 }).map((n) => item(String.fromCodePoint(97 + n))),
    {
      selector: ({ id }) => id,
    },
  );
  fc.assert(
    fc.property(lists, lists, (shown, data) => {
      const { items, fresh } = steadied(shown, all(data), order);
      const sent = new Set(data.map(order.idOf));
      const rest = shown.filter(({ id }) => sent.has(id));
      expect(items).toEqual(rest.length > 0 ? rest : data);
      expect(new Set([...items, ...fresh])).toEqual(new Set(data));
      expect(steadied(items, all(data), order)).toEqual({ items, fresh });
    }),
    { numRuns: runs(300) },
  );
});
