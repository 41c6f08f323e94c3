/** A list that is asked for again and again, shown in one order: nothing moves under the pointer but to close a gap. */

export type Order<Item> = {
  readonly idOf: (item: Item) => string;
  /** Whether the server lists one item behind another. */
  readonly isBehind: (item: Item, other: Item) => boolean;
};

export type Steady<Item> = {
  readonly items: readonly Item[];
  readonly fresh: readonly Item[]; // new ones that are not shown yet
};

/**
 * What is shown once the server has sent its list anew: what was shown and is still there, in its order. New items wait,
 * unless they are welcome or nothing is shown. `hasMore`: the server has more than it has sent, so that an item behind
 * the last one may still be there.
 */
export function steadied<Item>(
  shown: readonly Item[],
  { data, hasMore }: { readonly data: readonly Item[]; readonly hasMore: boolean },
  { idOf, isBehind }: Order<Item>,
  isWelcome: (item: Item) => boolean = () => false,
): Steady<Item> {
  const last = data.at(-1);
  const sent = new Map(data.map((item) => [idOf(item), item]));
  const known = new Set(shown.map(idOf));
  const rest = shown.flatMap((item) => {
    const now = sent.get(idOf(item));
    if (now !== undefined) return [now];
    return hasMore && last !== undefined && isBehind(item, last) ? [item] : [];
  });
  const others = data.filter((item) => !known.has(idOf(item)));
  if (rest.length === 0) return { items: others, fresh: [] };
  return {
    items: [...others.filter(isWelcome), ...rest],
    fresh: others.filter((item) => !isWelcome(item)),
  };
}
