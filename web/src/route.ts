/**
 * The part of the address that names the view: `#draw`, `#draw/test/INDEX`, `#train`, `#train/JOB`, `#review`, `#models`, `#models/VERSION`,
 * `#models/VERSION/with/VERSION`.
 */
import { type ReadonlySignal, signal } from '@preact/signals';

export const views = ['draw', 'train', 'models', 'review'] as const;
export type View = (typeof views)[number];
export type Route = { readonly view: View; readonly rest: readonly string[] };

export function parseRoute(hash: string): Route {
  const [view, ...rest] = hash.replace(/^#/, '').split('/').map(decode);
  return { view: views.find((known) => known === view) ?? 'draw', rest };
}

/** Follows the address for as long as the page is open; calls `changed` for each new view. */
export function followRoute(changed: (view: View) => void): ReadonlySignal<Route> {
  const route = signal(parseRoute(location.hash));
  addEventListener('hashchange', () => {
    const before = route.value.view;
    route.value = parseRoute(location.hash);
    if (route.value.view !== before) changed(route.value.view);
  });
  return route;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // typed by hand
  }
}
