/** A polled list whose new items are shown on demand. */
import { useRef, useState } from 'preact/hooks';
import { type Order, type Steady, steadied } from './steady.ts';

type List<Item> = { readonly data: readonly Item[]; readonly hasMore: boolean };

/** `welcome`: ids of items that are shown as soon as they come. `order` may not change. */
export function useSteady<Item>(
  list: List<Item>,
  order: Order<Item>,
  welcome?: ReadonlySet<string>,
): Steady<Item> & { readonly showFresh: () => void } {
  const shown = useRef<readonly Item[]>([]);
  const [, redraw] = useState(0);
  const steady = steadied(shown.current, list, order, (item) => welcome?.has(order.idOf(item)) ?? false);
  shown.current = steady.items;
  const showFresh = () => {
    shown.current = list.data;
    redraw((count) => count + 1);
  };
  return { ...steady, showFresh };
}
