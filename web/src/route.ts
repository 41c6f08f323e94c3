/** Where in the page one is: `#draw`, `#draw/test/INDEX`, `#train`, `#train/JOB`, `#models`, `#models/VERSION`. */
import { signal } from '@preact/signals';

export const views = ['draw', 'train', 'models'] as const;
export type View = (typeof views)[number];
export type Route = { readonly view: View; readonly rest: readonly string[] };

export const route = signal<Route>({ view: 'draw', rest: [] });

export function parseRoute(hash: string): Route {
  const [view, ...rest] = hash.replace(/^#/, '').split('/').map(decode);
  return { view: views.find((known) => known === view) ?? 'draw', rest };
}

/** Follows the address for as long as the page is open; `changed` is told of each new view. */
export function followRoute(changed: (view: View) => void): void {
  route.value = parseRoute(location.hash);
  addEventListener('hashchange', () => {
    const before = route.value.view;
    route.value = parseRoute(location.hash);
    if (route.value.view !== before) changed(route.value.view);
  });
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // typed by hand
  }
}
